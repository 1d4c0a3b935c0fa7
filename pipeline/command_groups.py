"""The list of commands in `gatewise --help`, by what people do."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup

GROUPS: dict[str, tuple[str, ...]] = {
    "Begin": ("init", "validate", "simulate", "fetch"),
    "Train": ("run", "compare", "tune", "groups"),
    "Look": ("ui", "runs", "report", "versions", "examples", "dead-letters"),
    "Predict and serve": ("predict", "recommend", "index", "serve", "request", "serving-config", "rollback"),
    "Kubeflow": ("compile", "schedule"),
}
"""Title -> its commands, in the order in which a newcomer needs them."""


class GroupedCommands(TyperGroup):
    """Lists the commands under the titles of `GROUPS`. A command without a title comes last."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names in the order of the list."""
        names = super().list_commands(ctx)
        ordered = [name for listed in GROUPS.values() for name in listed if name in names]
        return ordered + [name for name in names if name not in ordered]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """See `TyperGroup`."""
        names = self.list_commands(ctx)
        limit = formatter.width - 6 - max(map(len, names))
        titles = {name: title for title, listed in GROUPS.items() for name in listed}
        for title in (*GROUPS, "Others"):
            rows = []
            for name in (name for name in names if titles.get(name, "Others") == title):
                command = self.get_command(ctx, name)
                if command is not None:
                    rows.append((name.ljust(max(map(len, names))), command.get_short_help_str(limit)))
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)
