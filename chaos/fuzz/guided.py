"""One campaign of one target, guided by coverage: libFuzzer, by way of atheris. Runs in a process of its own, which it ends.

libFuzzer adds what reaches new code to the corpus directory and writes an input that breaks a promise, runs longer than ten
seconds or takes more than 2 GB to `DIRECTORY/found/`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from chaos.fuzz.promise import run

#: A built-in that never returns costs no calls, so the clock is the last resort, generously.
_HUNG_SECONDS = 10
_MOST_MEGABYTES = 2048
_LONGEST_INPUT = 4096


def main() -> None:
    """Fuzz until the time is up; the exit code is libFuzzer's, 0 if nothing was found."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--seconds", type=int, required=True)
    arguments = parser.parse_args()

    import atheris  # noqa: PLC0415 - not on every machine; the parent has asked

    with atheris.instrument_imports(include=["zen_agents", "yaml"]):
        from chaos.fuzz.target import load  # noqa: PLC0415 - imported while atheris watches

        target = load(arguments.name)
    corpus, found = arguments.directory / "corpus", arguments.directory / "found"
    for path in (corpus, found):
        path.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds):
        (corpus / f"seed-{number:03d}").write_bytes(seed)
    options = [
        sys.argv[0],
        str(corpus),
        f"-max_total_time={arguments.seconds}",
        f"-artifact_prefix={found}/",
        f"-timeout={_HUNG_SECONDS}",
        f"-rss_limit_mb={_MOST_MEGABYTES}",
        f"-max_len={_LONGEST_INPUT}",
        "-print_final_stats=1",
    ]
    if target.words:
        words = arguments.directory / "words"
        words.write_text("".join(f'"{_escaped(word)}"\n' for word in target.words), encoding="ascii")
        options.append(f"-dict={words}")
    atheris.Setup(options, lambda data: run(target.fuzz, data))
    atheris.Fuzz()


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


if __name__ == "__main__":
    main()
