"""What several stages do with Arrow columns: counts, frequent values, cells of numbers, exact moments, lists, an ordered map."""
