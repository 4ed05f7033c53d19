"""The plot of benchmarks.serving."""

from __future__ import annotations

from pathlib import Path

COLOURS = {"ours": "#2f55d4", "naive": "#a3271f"}


def plot(rates: dict[tuple[str, int, int], float], memory: dict[tuple[str, int], float], file: Path) -> None:
    """Photos a second over clients, and memory over workers. Keys: kind, workers, clients."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4))
    clients = sorted({key[2] for key in rates})
    widths = sorted({key[1] for key in rates})
    for kind, workers in dict.fromkeys(key[:2] for key in rates):
        line = [rates[kind, workers, count] for count in clients]
        style = ("-", "--", ":")[widths.index(workers) % 3]
        left.plot(
            range(len(clients)), line, style, color=COLOURS[kind], marker="o", label=f"{kind}, workers: {workers}"
        )
    left.set_xticks(range(len(clients)), [str(count) for count in clients])
    left.set(xlabel="clients", ylabel="photos a second", ylim=(0, None))
    left.legend(fontsize="small", ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.15))
    for offset, kind in enumerate(dict.fromkeys(key[0] for key in memory)):
        bars = [memory[kind, workers] for workers in widths]
        right.bar(
            [place + 0.4 * offset - 0.2 for place in range(len(widths))], bars, 0.38, color=COLOURS[kind], label=kind
        )
    right.set_xticks(range(len(widths)), [str(workers) for workers in widths])
    right.set(xlabel="workers", ylabel="PSS, MB")
    right.legend(fontsize="small")
    for axis in (left, right):
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(file, dpi=110)
