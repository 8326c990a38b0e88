"""A HubSpot portal for both sides: batches as we send them, single contacts as drt does."""

import re

from tests.fakes.hubspot import FakeHubSpot, refusal
from tests.fakes.server import Answer, ApiError, Request

_CONTACTS = "/crm/v3/objects/contacts"
_ONE = re.compile(rf"{_CONTACTS}/([^/]+@[^/]+)")


class Portal(FakeHubSpot):
    """``poison`` holds e-mails the portal will not take: alone they are refused with 400, a
    batch they are in with 409."""

    def answer(self, request: Request) -> Answer:
        one = _ONE.fullmatch(request.path)
        if request.path != _CONTACTS and not one:
            return super().answer(request)
        if request.headers.get("authorization") != f"Bearer {self.token}":
            raise refusal(401, "INVALID_AUTHENTICATION", "The token is not valid.")
        properties = request.json["properties"]
        try:
            self._check_properties(properties)
        except ApiError:
            message = f"Contact {properties.get('email')} is not valid."
            raise refusal(400, "VALIDATION_ERROR", message) from None
        there = self._find("email", one[1] if one else properties["email"])
        if one and there is None:
            raise refusal(404, "OBJECT_NOT_FOUND", "Object not found.")
        if not one and there is not None:
            raise refusal(409, "CONFLICT", f"Contact already exists. Existing ID: {there}")
        record = self._write({}, there, properties)
        return Answer(200 if one else 201, record)

    @property
    def members(self) -> int:
        """Contacts that are marked as in the segment."""
        return sum(contact.get("cdp_segment") == "champions" for contact in self.contacts.values())
