"""Settings of quotas: what one desk, one key and one answer may take, so that none makes another wait."""

from datetime import timedelta

from pydantic import Field

from app.settings.group import SettingsGroup


class QuotaSettings(SettingsGroup):
    """Quotas"""

    desk_subscriptions_max: int = Field(
        default=100,
        ge=1,
        description="Subscriptions of one desk. Every signal of the desk makes up to so many deliveries, in the "
        "transaction of its event.",
    )
    agreement_commitments_max: int = Field(
        default=50,
        ge=1,
        description="Commitments of an agreement that is put into force. Each is a clock of every ticket; the largest "
        "known agreement has eight.",
    )
    commitment_warnings_max: int = Field(
        default=10,
        ge=1,
        description="Warnings of a commitment that is put into force. Each is a signal of every ticket.",
    )
    calendar_windows_max: int = Field(
        default=24,
        ge=1,
        description="Windows in the hours of one day of a calendar, also of one inside a question. Opening hours change "
        "once an hour at most; each window is stored for every day of every compiled year.",
    )
    contract_resources_max: int = Field(
        default=1000,
        ge=1,
        description="Resources of a contract's term, and services. Each is compared with those of every outage; the "
        "largest hosting contracts known have some hundred servers.",
    )
    contract_targets_max: int = Field(
        default=50,
        ge=1,
        description="Targets of a contract's term: as many as an agreement may have commitments.",
    )
    contract_text_max: int = Field(
        default=255,
        ge=1,
        description="Characters of a name in a contract: its id, customer, plan, a service or a resource. A host name "
        "has 253.",
    )
    contract_import_max: int = Field(
        default=100_000,
        ge=1,
        description="Terms in one import of contracts; beyond it, the import is refused. The largest desk known has "
        "20,000 contracts.",
    )
    contract_import_slice: int = Field(
        default=500,
        ge=1,
        description="Contracts that an import stores in one transaction. No ticket of any desk is evaluated during it: "
        "500 take a tenth of a second.",
    )
    read_time_budget: timedelta = Field(
        default=timedelta(seconds=3),
        gt=timedelta(0),
        description="Processor time for computing one answer; beyond it, the answer is the problem `too-expensive`. A "
        "usual answer takes 5 ms.",
    )
    read_duty_cycle: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="Fraction of the time for which an answer computes that has taken 50 ms of processor time. In its "
        "pauses, pushes have the interpreter.",
    )
    preview_time_budget: timedelta = Field(
        default=timedelta(seconds=60),
        gt=timedelta(0),
        description="Processor time for a preview of a version over the network; beyond it, the preview is incomplete "
        "and says so. 100,000 open tickets take about 8 s, and where credits answer missed tickets "
        "twice that; a change behind all due dates takes none.",
    )
    answer_spans: int = Field(
        default=20_000,
        ge=1,
        description="Spans in one answer; the rest is paged, and a longer iCalendar file is refused. Two years of a "
        "calendar with six windows a day fit.",
    )
    answer_contracts: int = Field(
        default=1_000,
        ge=1,
        description="Contracts of which one list of credits derives them; `next` goes on with those that follow. A "
        "thousand take a second or two.",
    )
    answer_events: int = Field(
        default=1000,
        ge=1,
        description="Events of a ticket in one answer, as many as in one push. The rest is paged.",
    )
    max_streams: int = Field(
        default=500,
        ge=1,
        description="Open streams of one process; beyond it, the answer is 503. Half of the connections stay free for "
        "requests.",
    )
    key_streams_max: int = Field(
        default=50,
        ge=1,
        description="Open streams of one key in one process; beyond it, the answer is 429. Each page of a browser that "
        "signed in with the key has one.",
    )
    stream_page_size: int = Field(
        default=32,
        ge=1,
        description="Signals that a stream reads at one time while its client catches up. It reads on when the client "
        "has.",
    )
    stream_chunk_size: int = Field(
        default=32_000,
        ge=1024,
        description="Bytes that a stream hands to its connection at one time, at least one signal. So much is in memory "
        "for a client that does not read.",
    )
    stream_buffer_memory: int = Field(
        default=1_000_000,
        ge=1024,
        description="Bytes of signals buffered for one client of the stream. A slower client resumes.",
    )
    key_request_rate: float = Field(
        default=1000,
        gt=0,
        description="Requests a second of one key in one process, on average; beyond it, the answer is 429 with "
        "Retry-After. A push may have many events. Health checks and metrics have no key.",
    )
    key_request_burst: int = Field(
        default=20_000,
        ge=1,
        description="Requests of one key above that rate, after a pause: an import or a restart sends many at once.",
    )
    availability_objects_max: int = Field(
        default=1_000,
        ge=1,
        description="Services and resources in an answer about availability. The cursor `next` goes on with the others.",
    )
    availability_outages_max: int = Field(
        default=500,
        ge=1,
        description="Outages that an answer about availability lists for each service, resource or contract: the "
        "latest. Figures count all of them.",
    )
    availability_days_max: int = Field(
        default=400,
        ge=1,
        description="Days of which an answer about availability gives the downtime apart: a year and a month.",
    )
