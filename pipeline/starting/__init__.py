"""`gatewise init`: looks at a folder of logs and writes a recipe that runs without an edit, with the reasons as comments.

files -> sources (`sources`) -> sampled rows (`sampling`) -> streams (`streams`) -> key and impressions (`joins`), windows and tasks
(`windows`), split (`splits`), features (`features`, `sides`, `leaks`) -> text (`recipe_text`). `start` has the whole way.
"""
