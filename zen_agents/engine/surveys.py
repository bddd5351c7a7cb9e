"""Long looks that actions need before they are planned: waited for, or made beside the turns of their agent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field

from zen_agents.actions.base import Action
from zen_agents.clock import Clock, Instant
from zen_agents.dataclass import dataclass
from zen_agents.errors import RefusedError
from zen_agents.model.action import ActionRequest
from zen_agents.model.reason import Reason
from zen_agents.ports.host import HostView

#: A look that is over so soon, for one because what was found earlier still holds, is waited for at once (seconds).
AT_ONCE = 0.1
#: What was found beside the turns is for the turn that it brings about, and for none much later (seconds).
HOLDS_FOR = 30.0


@dataclass(slots=True)
class Survey:
    """One look."""

    request: ActionRequest
    began_at: Instant
    task: asyncio.Future[None] = field(init=False)
    #: What is looked at, in words, and how much of it was (0 to 1); None where nobody can tell.
    doing: str = ""
    share: float | None = None
    #: Why it was ended before it was done.
    ended_for: Reason | None = None
    ended_at: float = float("inf")

    def told(self, doing: str, share: float | None) -> None:
        """Take note of how far it is."""
        self.doing, self.share = doing, share


class Surveys:
    """Those that are under way, and what came of those that nobody has waited for yet."""

    def __init__(self, actions: Mapping[str, Action], clock: Clock) -> None:
        self._actions, self._clock = actions, clock
        self._under_way: list[Survey] = []
        #: (action, target) -> what was begun beside the turns.
        self._ahead: dict[tuple[str, str], Survey] = {}

    def __iter__(self) -> Iterator[Survey]:
        return iter(self._under_way)

    async def wait(self, request: ActionRequest, host: HostView) -> None:
        """Have looked at what an action needs, or wait for the end of that where it was begun; raises what that raises."""
        survey = self._begun(request) or self._begin(request, host)
        self._ahead.pop(_key(request), None)
        if survey is not None:
            await self._end_of(survey)

    async def is_over(self, request: ActionRequest, host: HostView, then: Callable[[], None]) -> bool:
        """Tell whether `wait` would return at once; if not it is looked at meanwhile, and `then` is called at the end."""
        survey = self._begun(request)
        if survey is None:
            try:
                survey = self._begin(request, host)
            except Exception:  # raised again where it is judged
                return True
            if survey is None:
                return True
            self._ahead[_key(request)] = survey
            await asyncio.wait((survey.task,), timeout=AT_ONCE)
        if survey.task.done():
            return True
        survey.task.add_done_callback(lambda _: then())
        return False

    def give_up(self, why: Reason) -> None:
        """End those that are under way: what they were for is refused by that name."""
        for survey in tuple(self._under_way):
            survey.ended_for = why
            survey.task.cancel()

    async def close(self) -> None:
        """End those that were begun beside the turns: nobody takes any more."""
        begun = [survey.task for survey in self._ahead.values()]
        self._ahead.clear()
        for task in begun:
            task.cancel()
        await asyncio.gather(*begun, return_exceptions=True)

    def _begun(self, request: ActionRequest) -> Survey | None:
        """Return what was begun beside the turns for the same, None if there is no such thing or it was long ago."""
        found = self._ahead.get(_key(request))
        if found is None:
            return None
        if found.request.params == request.params and self._clock.now().steady - found.ended_at < HOLDS_FOR:
            return found
        del self._ahead[_key(request)]
        found.task.cancel()
        return None

    def _begin(self, request: ActionRequest, host: HostView) -> Survey | None:
        action, survey = self._actions.get(request.action), Survey(request, self._clock.now())
        looking = None if action is None else action.survey(request, host, survey.told)
        if looking is None:
            return None
        survey.task = asyncio.ensure_future(looking)
        self._under_way.append(survey)
        survey.task.add_done_callback(lambda _: self._ended(survey))
        return survey

    def _ended(self, survey: Survey) -> None:
        self._under_way.remove(survey)
        survey.ended_at = self._clock.now().steady
        if not survey.task.cancelled():
            survey.task.exception()  # whoever waits is told

    async def _end_of(self, survey: Survey) -> None:
        try:
            await survey.task
        except asyncio.CancelledError:
            if (why := survey.ended_for) is None:
                raise
            raise RefusedError(f"the look at {survey.request.target} was ended: {why.sentence}", reason=why) from None


def _key(request: ActionRequest) -> tuple[str, str]:
    return request.action, request.target
