"""Completion for PowerShell, which click does not bring. Imported only when that shell asks."""

from __future__ import annotations

import os
from typing import ClassVar

from click import shell_completion

_SOURCE = """\
Register-ArgumentCompleter -Native -CommandName %(prog_name)s -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Where-Object { $_.Extent.StartOffset -lt $cursorPosition } |
        ForEach-Object { $_.Extent.Text.Trim("'", '"') })
    $env:%(complete_var)s = 'powershell_complete'
    $env:COMP_WORDS = $words -join "`n"
    $env:COMP_CWORD = $wordToComplete.Trim("'", '"')
    try {
        & $words[0] | ForEach-Object {
            $type, $value, $help = $_ -split "`t", 3
            if (-not $help) { $help = $value }
            [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $help)
        }
    } finally {
        Remove-Item Env:%(complete_var)s, Env:COMP_WORDS, Env:COMP_CWORD -ErrorAction SilentlyContinue
    }
}
"""


class PowerShell(shell_completion.ShellComplete):
    """One line per offer: type, value and help with tabs between; the words come with newlines between."""

    name: ClassVar[str] = "powershell"
    source_template: ClassVar[str] = _SOURCE

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one that is being written, and that one."""
        words, incomplete = os.environ["COMP_WORDS"].split("\n"), os.environ.get("COMP_CWORD", "")
        args = words[1:]
        if incomplete and args and args[-1] == incomplete:
            args.pop()
        return args, incomplete

    def format_completion(self, item: shell_completion.CompletionItem[str]) -> str:
        """One line, whatever the help says."""
        help_ = " ".join((item.help or "").split())
        return f"{item.type}\t{item.value}\t{help_}"


def register() -> None:
    """Make click know the shell."""
    shell_completion.add_completion_class(PowerShell)
