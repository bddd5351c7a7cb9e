"""Any further channel through Apprise."""

from __future__ import annotations

from zen_agents.jobs.alert_delivery import AppriseItem, Delivered, DeliveryOutcome
from zen_agents.workers.secret_file import SecretError, read_secret


def send_apprise(item: AppriseItem) -> Delivered:
    """Send one message over its Apprise URL; never raises.

    Apprise tells only whether all went well, so everything that did not is `retry`; a URL that it does not know is `reject`.
    One Apprise object sends one message, so that its pause between messages of one object (5.5 s for some) never counts.
    """
    # Imported here: mail and pages must not pay for it, nor fall with it.
    from apprise import Apprise, AppriseAsset  # noqa: PLC0415

    try:
        url = item.url or read_secret(item.url_file)
        apprise = Apprise(asset=AppriseAsset(app_id="zen-agents", app_desc="zen-agents", async_mode=False))
        if not apprise.add(url):
            return Delivered(item.ref, DeliveryOutcome.REJECT, "Apprise does not know this kind of URL")
        taken = apprise.notify(body=item.body, title=item.title, notify_type=item.notify_type, body_format="text")
    except SecretError as error:
        return Delivered(item.ref, DeliveryOutcome.RETRY, str(error))
    except Exception as error:  # a plug-in's own fault concerns its own message only
        return Delivered(item.ref, DeliveryOutcome.RETRY, f"{type(error).__name__} in Apprise")
    if taken:
        return Delivered(item.ref, DeliveryOutcome.OK, "taken")
    return Delivered(item.ref, DeliveryOutcome.RETRY, "Apprise could not deliver it")
