"""One policy of every synchronous scheme, for tests that hold for all of them."""

import clustersim as cs


def synchronous_policies(*, deadline, threshold, burn_in):
    """Return one policy of every scheme that works in rounds.

    Parameters
    ----------
    deadline : float
        Seconds after a dispatch at which the schemes that have a deadline act.
    threshold, burn_in : int
        How soon `AdaptiveK` raises its k.
    """
    return [
        cs.FullSync(batch=2),
        cs.FastestK(4, warm_up=1.0),
        cs.AdaptiveK(start=1, threshold=threshold, burn_in=burn_in, factor=2),
        cs.SwitchingTimes([1.0, 1.0, 6.0], start=2),
        cs.ErasureHead(load=2, fraction=0.5),
        cs.ErasureHead(load=3, fraction=1.0, deadline=deadline, silence="redraw"),
        cs.ExactGradientCode(load=3),
        cs.ExactGradientCode(load=3, code="cyclic"),
        cs.StochasticGradientCoding(2, 0.3, deadline=deadline),
        cs.BernoulliGradientCoding(2, 0.3, deadline=deadline, silence="redraw"),
        cs.IgnoreStragglers(0.3, deadline=deadline),
        cs.SendAll(2, 0.3, deadline=deadline),
        cs.FreshBatches(5, 0.3, deadline=deadline),
        cs.LiveGradientCompensation(7, 4),
        cs.Synchronous(cs.waits.Pflug(2, threshold, burn_in), blocks=3, late=cs.policies.Compensate(scaled=False)),
    ]
