"""`Comparison`: the table of what each policy needs to reach a target.

`clustersim.studies.compare` makes it; `clustersim.tables` prints it.
"""

from dataclasses import dataclass, field

import pandas as pd

from clustersim.checks import number
from clustersim.studies.statistics import replications_for

__all__ = ["Comparison"]


@dataclass(frozen=True, eq=False)
class Comparison:
    """The outcome of `compare`. ``docs/statistics.md`` says how often its intervals cover the truth.

    Attributes
    ----------
    metric : str
        The column that the runs are compared by.
    targets : dict of str to float
        The target of each variant; NaN if there is none, because no policy improves on the first model.
    why : str
        How the targets were chosen, in words.
    table : DataFrame
        One row for each variant and policy, with these columns:

        - variant, the values of a sweep (p is in the column swept_p, because p is the p-value), policy, target;
        - replications: the number of runs carried out; reached: how many of them reached the target; at_start: how many
          of these reached it at the first evaluation; failed: how many failed;
        - share, share_low, share_high: the share of the runs that reached it, with Wilson's 95 % interval;
        - for each of time (s), uplink_vectors, vectors (uplink and downlink, of R^d), uplink_bytes and bytes (both
          ways): the Kaplan-Meier median and the ends of its 95 % interval (see `quantile_interval`), such as time,
          time_low, time_high. The median is infinite if the runs do not reach it: then it is greater than time_end, the
          largest time of a run. In time_mean, time_mean_low and time_mean_high: the mean with Student's 95 % interval,
          cut off at 0, if every run reached the target, else NaN;
        - baseline; ratio, ratio_low, ratio_high: the time divided by that of the baseline, replication by replication,
          with a 95 % interval (see `paired_ratio`); p: the p-value of "neither is faster"; p_holm: the same after
          Holm's correction for all rows; method: "student", "sign", or empty;
        - verdict: "baseline"; "faster" or "slower" than it, if p_holm is at most 0.05; "undecided"; or empty if
          there is no test. The probability that any "faster" or "slower" in the table is wrong is at most 5 %;
        - settled: the median over the replications of the value at which a run settles (its median over the last tenth
          of the run);
        - idle_share: the share of the workers' seconds in which they were idle; wasted_share: the share of the computed
          seconds that were wasted; unheard: the number of workers none of whose messages was used, the mean over the
          replications; all three over whole runs, not up to the target;
        - front: whether no policy of the variant is at least as good in settled, time and bytes and better in one.

        Ends are NaN if there are too few replications, or if all replications are identical.
    remarks : tuple of str
        Remarks that a reader of the table needs, one sentence or more each: failed runs, targets that the first model
        meets, identical replications.
    quantile : float
        The part of the runs whose costs are in the table; 0.5 for medians.
    """

    metric: str
    targets: dict[str, float]
    why: str
    table: pd.DataFrame = field(repr=False)
    remarks: tuple[str, ...] = field(default=(), repr=False)
    quantile: float = 0.5

    def replications_for(self, precision: float = 0.05) -> pd.DataFrame:
        """Estimate how many replications make the intervals as narrow as wanted.

        Parameters
        ----------
        precision : float, default 0.05
            Half of the wanted width of an interval, as a part of the estimate.

        Returns
        -------
        DataFrame
            variant, policy, and for time and ratio the number of replications; NaN where an interval has no finite
            ends. The number for the median time counts every policy for itself. The number for the ratio is mostly much
            smaller, because common random numbers make the times of two policies rise and fall together.
            See `clustersim.studies.statistics.replications_for`.

        Raises
        ------
        ConfigurationError
            If the precision is not a number greater than 0 and at most 1.
        """
        number("precision", precision, above=0.0, high=1.0)
        numbers = {
            name: [
                replications_for(
                    row[f"{name}_low"],
                    row[f"{name}_high"],
                    row["replications"],
                    precision,
                    student=name == "ratio" and row["method"] == "student",
                )
                for row in self.table.to_dict("records")
            ]
            for name in ("time", "ratio")
        }
        return self.table[["variant", "policy"]].assign(**numbers)
