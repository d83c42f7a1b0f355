"""A step of the GPT is timed by hand and with torch."""

import json
from pathlib import Path

from experiments.benchmark_gpt import main


def test_both_ways_are_timed_and_written_down(tmp_path: Path, capsys) -> None:
    main(rounds=2, batch=1, compiled=False, out=tmp_path)
    times = json.loads((tmp_path / "times.json").read_text())["times"]
    assert [each["way"] for each in times] == ["handwritten", "torch"]
    assert all(each["seconds"] > 0 and not each["compiled"] for each in times)
    assert times[1]["ratio"] == 1
    assert "of torch's" in capsys.readouterr().out
