"""From what stands in a cell to Python."""

from __future__ import annotations

import ast

from IPython.core.inputtransformer2 import TransformerManager

# Valid Python in which IPython still changes something: pasted prompts.
PROMPTS = (">>>", "In [", "...:")


class PythonFirst(TransformerManager):
    """Leaves a cell that is Python as it is.

    IPython looks at every token for its own syntax, which takes longer than
    all else that it does with a short cell.
    """

    def __init__(self) -> None:
        """Know IPython's transformers: where others are added, all are asked."""
        super().__init__()  # type: ignore[no-untyped-call]
        self._own = self._transformers()

    def transform_cell(self, cell: str) -> str:
        """Return the cell as Python."""
        if self._is_python(cell) and self._transformers() == self._own:
            return cell if cell.endswith("\n") else f"{cell}\n"
        return super().transform_cell(cell)

    def _transformers(self) -> list[object]:
        static = [*self.cleanup_transforms, *self.line_transforms]
        return [*static, *self.token_transformers]

    def _is_python(self, cell: str) -> bool:
        """Tell whether nothing of a cell is IPython's own; when in doubt, no."""
        if cell[:1].isspace() or any(prompt in cell for prompt in PROMPTS):
            return False
        try:
            ast.parse(cell)
        except (SyntaxError, ValueError):
            return False
        return True
