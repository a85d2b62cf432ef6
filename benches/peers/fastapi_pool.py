"""A pool of containers in the memory of one process, behind an asyncio lock."""

import asyncio
import time
import uuid

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

app = FastAPI()
lock = asyncio.Lock()
containers = [
    {"id": f"{number:064x}", "name": f"wine-{number}", "ports": {"5900/tcp": 5900 + number}, "session": None}
    for number in range(1000)
]
sessions: dict[str, dict] = {}


class Create(BaseModel):
    target_type: str
    ttl_seconds: int = 60


@app.post("/sessions", status_code=201)
async def create(body: Create) -> dict:
    async with lock:
        for container in containers:
            if container["session"] is None:
                session = {
                    "id": str(uuid.uuid4()),
                    "target_type": body.target_type,
                    "container": container,
                    "expires_at": time.time() + body.ttl_seconds,
                }
                container["session"] = session["id"]
                sessions[session["id"]] = session
                return session
    raise HTTPException(503, "no container is available")


@app.delete("/sessions/{session_id}")
async def release(session_id: str) -> dict:
    async with lock:
        session = sessions.pop(session_id, None)
        if session is None:
            raise HTTPException(404, "no such session")
        session["container"]["session"] = None
    return {"id": session_id, "state": "ended"}
