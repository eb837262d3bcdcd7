"""A bare app on the service's stack: one route that reads the body and answers, with nothing of the service's."""

import sys
from pathlib import Path

# In place of this folder, in which calendar.py would hide the standard library's.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

import uvicorn
from fastapi import FastAPI, Request
from starlette.responses import Response

app = FastAPI()


@app.get("/healthz")
async def healthz() -> Response:
    """The process serves."""
    return Response()


@app.post("/bare")
async def bare(request: Request) -> Response:
    """Read the body and answer as a push is answered."""
    await request.body()
    return Response(b'{"accepted":1,"repeated":0,"refused":[],"tickets":[]}', media_type="application/json")


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[2]), access_log=False, log_config=None)
