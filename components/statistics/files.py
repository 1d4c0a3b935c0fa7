"""Names of the files in each split's folder of `ExampleStatistics`."""

STATISTICS_FILE = "FeatureStats.pb"
"""The stock name, which every reader of `ExampleStatistics` knows."""
CATEGORIES_FILE = "IntegerCategories.pb"
"""Value counts of the columns of integer ids, where there are any."""
