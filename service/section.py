"""What every section of `site.toml` has in common."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A section refuses keys it does not know: a misspelt one must not be ignored."""

    model_config = ConfigDict(extra="forbid")
