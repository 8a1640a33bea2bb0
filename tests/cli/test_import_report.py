"""What people read of an import."""

from toolhaft.cli.import_report import print_report
from toolhaft.tools.report import OperationReport, Problem, Report


def lost(code, message, severity="degraded"):
    return Problem(code=code, message=message, pointer="/a", severity=severity)


def test_one_loss_of_each_kind_is_shown_and_the_rest_is_counted(capsys):
    problems = [lost("cut", f"{name} is left out") for name in ("Pet", "Owner", "Shop")]
    problems += [lost("name", "it is renamed", "warning"), lost("dangling", "it leads nowhere")]
    entry = OperationReport(method="GET", path="/pets", outcome="degraded", problems=tuple(problems))
    print_report(Report(operations=(entry,)))
    assert (
        "  degraded: GET /pets: #/a: Pet is left out (and 2 more like it); #/a: it leads nowhere\n"
        in capsys.readouterr().out
    )


def test_many_kinds_of_losses_are_counted(capsys):
    problems = tuple(lost(f"kind-{index}", f"loss {index}", "skipped") for index in range(6))
    print_report(Report(operations=(OperationReport(path="/a", outcome="skipped", problems=problems),)))
    line = capsys.readouterr().out.splitlines()[1]
    assert "loss 3" in line
    assert "loss 4" not in line
    assert line.endswith("; 2 other kinds of loss; --json shows them")
