"""How a mini-batch is drawn, one number at a time, for tests that follow a run by hand."""


def draw_batch(draws, task, worker, held, batch, most=None):
    """Which of its `held` rows a worker computes in a task; `most` are the rows of the worker that holds most."""
    generator = draws.at(task, worker)
    if (most or held) <= 4 * batch:
        keys = [generator.random() for _ in range(held)]
        return sorted(range(held), key=keys.__getitem__)[:batch]
    chosen = []
    while len(chosen) < batch:
        place = int(generator.random() * held)
        if place not in chosen:
            chosen.append(place)
    return chosen
