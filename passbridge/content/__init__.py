"""What AlipayHK's passes show, typed: the scenarios whose fields its create pages name (protocol, section 4.3).

    ticket = AdmissionTicket(address=Localised(zh_HK="香港仔", en_US="Aberdeen"), available_times=1, start_time=…, end_time=…)
    outcome = client.apply(ticket.revise(PassRef(id="2995…", user_id="2160…"), to="hk-tickets"))

Owns the scenarios' field names and what form each value takes. It writes a `Content`, by bare names: the gateway's own
spelling of them is the tables', and so are the documented lengths, which only note (real integrations exceeded them).
A scenario asks for every field that its page requires of a new pass, since it is not documented whether an update
merges or replaces. To send less, or what no page names, use `Content` itself.
"""

from passbridge.content.cards import Level, Score, Validity
from passbridge.content.scenario import Localised, Price
from passbridge.content.tickets import AdmissionTicket, BusTicket, MovieTicket, ShipTicket

__all__ = ["AdmissionTicket", "BusTicket", "Level", "Localised", "MovieTicket", "Price", "Score", "ShipTicket", "Validity"]
