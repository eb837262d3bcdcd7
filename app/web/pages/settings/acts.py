"""Acts of the audit log in words. The log, the API and the command line have their names."""

from collections.abc import Mapping
from typing import Final

from app.delivery.wording.phrases import N_
from app.store.audit import Action

ACTS: Final[Mapping[Action, str]] = {
    Action.SESSION_STARTED: N_("Session started"),
    Action.SESSION_ENDED: N_("Session ended"),
    Action.SIGN_IN_REFUSED: N_("Sign-in refused"),
    Action.KEY_CREATED: N_("API key created"),
    Action.KEY_REVOKED: N_("API key revoked"),
    Action.USER_CREATED: N_("Person added"),
    Action.USER_ROLES: N_("Roles changed"),
    Action.USER_DISABLED: N_("Person disabled"),
    Action.USER_ENABLED: N_("Person enabled"),
    Action.LINK_CREATED: N_("Sign-in link created"),
    Action.PASSWORD_CHANGED: N_("Password changed"),
    Action.SECOND_FACTOR_ADDED: N_("Second factor added"),
    Action.SECOND_FACTOR_REMOVED: N_("Second factor removed"),
    Action.VERSION_APPLIED: N_("Calendar or agreement applied"),
    Action.CONTRACT_APPLIED: N_("Contracts applied"),
    Action.VERSION_WITHDRAWN: N_("Planned version withdrawn"),
    Action.SOURCES_APPLIED: N_("Sources applied"),
    Action.CONNECTION_CREATED: N_("Connection created"),
    Action.CONNECTION_CHANGED: N_("Connection changed"),
    Action.EMBEDDING_CHANGED: N_("Embedding changed"),
    Action.SUBSCRIPTION_CREATED: N_("Subscription created"),
    Action.SUBSCRIPTION_CHANGED: N_("Subscription changed"),
    Action.SUBSCRIPTION_REMOVED: N_("Subscription removed"),
    Action.FEED_CREATED: N_("Calendar feed created"),
    Action.FEED_REMOVED: N_("Calendar feed removed"),
    Action.VIEW_SHARED: N_("View shared"),
    Action.VIEW_CHANGED: N_("Shared view changed"),
    Action.VIEW_REMOVED: N_("Shared view removed"),
    Action.DESK_EXPORTED: N_("Desk exported"),
    Action.DESK_IMPORTED: N_("Desk imported"),
    Action.SECRETS_ROTATED: N_("Secrets rotated"),
}
