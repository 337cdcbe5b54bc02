"""The file of a profile: TOML in, frozen facts out, or all that is wrong with it, with lines.

- ``reading``: the one way through; ``problems``: what is wrong, and where
- ``schema_check``, ``profile.schema.json``: which keys there are, and the form of each value
- ``building``, ``building_calls``, ``building_answers``, ``building_lists``, ``durations``: facts of tables
- ``checks``: whether what is said fits together
- ``places``: the line of each key
- ``built_in``: the profiles that ship
"""

from migrator.providers.profile_file.built_in import built_in, built_in_names, built_in_text
from migrator.providers.profile_file.problems import Problem, ProfileError
from migrator.providers.profile_file.reading import read_profile
from migrator.providers.profile_file.schema_check import schema_text

__all__ = [
    "Problem",
    "ProfileError",
    "built_in",
    "built_in_names",
    "built_in_text",
    "read_profile",
    "schema_text",
]
