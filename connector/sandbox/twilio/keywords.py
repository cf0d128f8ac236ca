"""Which inbound words does the gateway act on by itself?

Single words that are the whole message, in any case, blanks around them ignored. Source:
twilio.com/docs/messaging, "Twilio support for opt-out keywords".
"""

STOP_WORDS = frozenset({"STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL"})
START_WORDS = frozenset({"START", "YES", "UNSTOP"})
HELP_WORDS = frozenset({"HELP", "INFO"})

ANSWERS = {
    "STOP": "You are unsubscribed and will get no further messages. Reply START to subscribe again.",
    "START": "You are subscribed again. Reply HELP for help, STOP to unsubscribe.",
    "HELP": "Reply STOP to unsubscribe. Message and data rates may apply.",
}


def opt_out_type(body: str) -> str | None:
    """STOP, START, HELP, or None for anything else."""
    word = body.strip().upper()
    for kind, words in (("STOP", STOP_WORDS), ("START", START_WORDS), ("HELP", HELP_WORDS)):
        if word in words:
            return kind
    return None
