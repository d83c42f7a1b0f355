import torch

from torchref.training.loop.order import Order


def epoch(order: Order) -> list[list[int]]:
    order.begin()
    batches = []
    while not order.exhausted:
        batches.append(order.take().tolist())
    return batches


def test_every_epoch_has_every_row_once_in_an_order_of_its_own() -> None:
    order = Order(10, 4, seed=0)
    one, other = epoch(order), epoch(order)
    assert [len(batch) for batch in one] == [4, 4, 2]
    for batches in (one, other):
        assert sorted(row for batch in batches for row in batch) == list(range(10))
    assert one != other
    assert one == epoch(Order(10, 4, seed=0)) != epoch(Order(10, 4, seed=1))


def test_without_a_batch_size_all_rows_come_in_their_own_order() -> None:
    assert epoch(Order(4, None, seed=0)) == [[0, 1, 2, 3]]


def test_it_goes_on_from_the_middle_and_from_the_end_of_an_epoch() -> None:
    for taken in range(4):
        order = Order(10, 4, seed=0)
        epoch(order)
        order.begin()
        for _ in range(taken):
            order.take()
        again = Order(10, 4, seed=7)
        again.load_state_dict(order.state_dict())
        if taken == 0:
            again.begin()
        rest = [[x.take().tolist() for _ in range(3 - taken)] for x in (order, again)]
        assert rest[0] == rest[1]
        assert epoch(order) == epoch(again)


def test_the_global_random_state_is_left_alone() -> None:
    before = torch.get_rng_state()
    epoch(Order(10, 4, seed=0))
    assert torch.equal(torch.get_rng_state(), before)
