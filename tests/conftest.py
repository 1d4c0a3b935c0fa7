"""What holds for all tests."""

import hypothesis

# No test is timed: a machine that does something else besides must not fail one.
hypothesis.settings.register_profile("gatewise", deadline=None)
hypothesis.settings.load_profile("gatewise")
