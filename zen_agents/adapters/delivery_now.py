"""Has the delivery worker send items now, past the outbox: whoever tries the ways to people waits for the answers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from zen_agents.adapters.worker_process import WorkerError, run_worker
from zen_agents.jobs import alert_delivery as jobs

_WITHIN_SECONDS, _GRACE_SECONDS = 60.0, 15.0


def deliver_now(items: Sequence[jobs.Item]) -> Mapping[str, jobs.Delivered]:
    """Return the answer to each item by its `ref`; never raises. One without an answer was not tried."""
    if not items:
        return {}
    request = jobs.DeliveryRequest(tuple(items), within_seconds=_WITHIN_SECONDS)
    try:
        asked = run_worker(jobs.WORKER, request.to_json(), timeout_seconds=_WITHIN_SECONDS + _GRACE_SECONDS)
        reply = jobs.DeliveryReply.from_json(asyncio.run(asked))
    except (WorkerError, jobs.MalformedJobError) as error:
        return {item.ref: jobs.Delivered(item.ref, jobs.DeliveryOutcome.RETRY, str(error)) for item in items}
    return {result.ref: result for result in reply.results}
