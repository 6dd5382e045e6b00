"""``python -m service.cli.bench.serving.constant PORT``: the least that FastAPI can do, to compare with."""

import sys

import uvicorn
from fastapi import FastAPI

from service.cli.api import server_config
from service.settings import ServerSettings

app = FastAPI(openapi_url=None)


@app.get("/{path:path}")
async def constant(path: str) -> dict[str, object]:
    """The same for every path."""
    del path
    return {"room": "constant", "sequence": 0, "tasks": []}


if __name__ == "__main__":
    uvicorn.Server(server_config(app, ServerSettings(port=int(sys.argv[1])))).run()
