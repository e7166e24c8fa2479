"""How much sooner does gradient descent that leaves out stragglers fit house prices? Least squares on KC Housing.

Fig. 2c, 2f, 3c, 4c and 4f of Wang, Charles and Papailiopoulos, "ErasureHead: Distributed Gradient Descent without
Delays Using Approximate Gradient Coding", 2019: 30 workers; uncoded, exact fractional repetition and ErasureHead with
c = 2 and 3; test loss against time, with and without artificial delays. The setting is in `_erasurehead.py`.

The rows are all 17,290 training and 4,323 test rows, one-hot as in the paper; the loss is half the mean square error of
the price in millions of dollars. The objective in the authors' code is the mean square error itself with a penalty of
|w|^2 / m. So Table 1's step 0.1 x 0.99^t, applied to the mean gradient, is 0.2 x 0.99^t here, and the ridge is 1 / m.
That step is larger than 1 / L = 0.17; Nesterov's method is stable below 0.23.
"""

import _erasurehead as erasurehead

import clustersim as cs

SHARE = 0.001  # seconds for 576 rows, assumed: one core of today takes 0.04 ms, and an m1.small was far slower

data = cs.datasets.kc_house(encoding="one-hot")
problem = cs.LeastSquares(data.X, data.y, ridge=1 / len(data.y), test=data.test)

study = erasurehead.experiment(
    SHARE,
    name="erasurehead-housing",
    problem=problem,
    optimizer=cs.Nesterov(cs.schedules.ExponentialDecay(0.2, 0.99)),
    until=cs.Until(updates=200),
    evaluate_every=1,
    metric="test_loss",
    claims=[erasurehead.up_to_3_times("loss"), *erasurehead.CLAIMS],
)

if __name__ == "__main__":
    cs.main(study)
