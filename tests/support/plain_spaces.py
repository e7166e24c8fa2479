"""Latency models and links of few kinds, for laws whose cases need no more; `spaces` has all kinds."""

from hypothesis import strategies as st

import clustersim as cs

positive = st.floats(0.05, 3.0)
latencies = st.one_of(
    st.builds(cs.Constant, st.sampled_from([0.5, 1.0, 2.0])),  # ties
    st.builds(cs.Exponential, positive),
    st.builds(cs.ShiftedExponential, positive, positive),
    st.builds(cs.Pareto, positive, st.floats(1.2, 4.0)),
    st.builds(cs.BernoulliStraggler, st.floats(0.0, 0.9), positive),
    st.builds(cs.Empirical, st.lists(st.sampled_from([0.25, 0.5, 1.0, 1.5]), min_size=1, max_size=5)),
)
links = st.one_of(
    st.just(cs.Link()),
    st.builds(cs.Link, latency=latencies),
    st.builds(cs.Link, latency=st.sampled_from([0.25, 0.5]), bandwidth=st.sampled_from([8.0, 32.0])),
)
