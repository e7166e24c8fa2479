"""A study and runs that take milliseconds, and made-up results whose numbers can be checked on paper."""

from dataclasses import replace

import pandas as pd

import clustersim as cs

COUNTS = ("uplink_vectors", "downlink_vectors", "uplink_bytes", "downlink_bytes")


def small_study(**changes):
    parts = {
        "name": "small",
        "problem": cs.LeastSquares.synthetic(rows=60, features=3, design="gaussian", seed=7),
        "cluster": cs.Cluster(workers=6, compute=cs.Exponential(mean=1.0)),
        "policies": {"k = 1": cs.FastestK(1), "k = 4": cs.FastestK(4)},
        "optimizer": cs.SGD(lambda t: 1e-5),  # plain pickle could not carry this
        "until": cs.Until(updates=30),
        "replications": 2,
    }
    return cs.Study(**{**parts, **changes})


def thinned(read):
    """Return a reader of a data set that keeps every fifth row only and, of images, every fourth pixel."""

    def part(*parts, **rest):
        data = read(*parts, **rest)
        kept = slice(None, None, 4 if data.X.shape[1] == 28 * 28 else 1)
        return replace(data, X=data.X[::5, kept], y=data.y[::5], test_X=data.test_X[::5, kept], test_y=data.test_y[::5])

    return part


def run_if_possible(problem, cluster, policy, seed, *, step_size, refusals):
    """A short run with its messages; None if it stalls or diverges, or is refused in one of the words expected."""
    try:
        return cs.simulate(
            problem, cluster, policy, optimizer=cs.SGD(step_size), seed=seed, until=cs.Until(time=25.0, updates=25),
            evaluate_every=4, messages=True,
        )  # fmt: skip
    except (cs.StalledError, cs.DivergenceError):
        return None
    except cs.ConfigurationError as error:
        if not any(words in str(error) for words in refusals):
            raise
        return None


def tree(folder):
    """All files of a folder by their relative path, with their content."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def made_up(runs, metric="error", **more):
    """Results from a mapping of (variant, policy, replication) to rows of (time, value, uplink messages).

    The downlink carries twice as many messages, a vector has 8 bytes.
    """
    rows = []
    for (variant, policy, replication), history in runs.items():
        for time, value, uplink in history:
            counts = dict(zip(COUNTS, (uplink, 2 * uplink, 8 * uplink, 16 * uplink), strict=True))
            key = {"variant": variant, "policy": policy, "replication": replication}
            rows.append({**key, "time": time, "update": int(time), metric: value, "k": 1, **counts})
    return cs.Results(
        name="made up",
        frame=pd.DataFrame(rows),
        totals=pd.DataFrame(),
        policies=tuple(dict.fromkeys(policy for _, policy, _ in runs)),
        variants=tuple(dict.fromkeys(variant for variant, _, _ in runs)),
        metric=metric,
        **more,
    )
