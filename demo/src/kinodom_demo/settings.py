"""What the demo site is told."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr

from kinodom_common.settings import CommonSettings


class Settings(CommonSettings):
    """Where the films are kept, and how long they are."""

    inner_key: SecretStr = SecretStr("")  # unused: this site stands for somebody else's and shows no key
    demo_root: Path  # folder for what was made; may be emptied at any time
    demo_seconds: Annotated[int, Field(ge=6, le=600)] = 40
