"""What several stages do with Arrow columns: counts, exact moments, the order of floats, an ordered map on threads."""
