"""Shared code for Arrow columns: counts, frequent values, cells of numbers, exact moments, lists, an ordered map."""
