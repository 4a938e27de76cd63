"""``nestling completion``."""

from __future__ import annotations

import click
from click import shell_completion

from nestling.cli import cobra, powershell, ui

EXAMPLES = """
# bash: now, and in every new shell
source <(nestling completion bash)
nestling completion bash > ~/.local/share/bash-completion/completions/nestling

# zsh and fish
source <(nestling completion zsh)
nestling completion fish > ~/.config/fish/completions/nestling.fish

# PowerShell: in the profile
nestling completion powershell | Out-String | Invoke-Expression
"""


@click.command("completion", cls=cobra.Command, examples=EXAMPLES)
@click.argument("shell", metavar="SHELL", type=click.Choice(["bash", "zsh", "fish", "powershell"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script of bash, zsh, fish or PowerShell."""
    if shell == "powershell":
        powershell.register()
    root = ctx.find_root()
    program = str(root.info_name)
    variable = f"_{program}_COMPLETE".replace("-", "_").replace(".", "_").upper()
    kind = shell_completion.get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"there is no completion for {shell}", ctx=ctx)
    ui.emit(kind(root.command, {}, program, variable).source())
