"""The other makers' engines on the league stream: peers.py hftbacktest|hftbacktest-roi|nautilus MESSAGES CACHE.

Prints nanoseconds a message and the final best bid and ask. The work per message is the same everywhere: apply it, read the best bid and ask, move
two averages of the mid. Preparing the data, and compiling where the engine compiles, is not timed.
"""

import os
import sys
import time

from stream import load

TICK = 0.01
START, STEP = 1_700_000_000_000_000_000, 10_000


def hftbacktest(rows, is_vector):
    import numpy as np
    from numba import njit
    from hftbacktest import (
        ADD_ORDER_EVENT, BUY_EVENT, CANCEL_ORDER_EVENT, EXCH_EVENT, LOCAL_EVENT, MODIFY_ORDER_EVENT, SELL_EVENT,
        BacktestAsset, HashMapMarketDepthBacktest, ROIVectorMarketDepthBacktest,
    )
    from hftbacktest.types import event_dtype

    data = np.zeros(len(rows), dtype=event_dtype)
    kinds = np.array([ADD_ORDER_EVENT, MODIFY_ORDER_EVENT, CANCEL_ORDER_EVENT], dtype=np.uint64)
    sides = np.where(rows[:, 1] == 0, BUY_EVENT, SELL_EVENT).astype(np.uint64)
    data["ev"] = kinds[rows[:, 0]] | sides | np.uint64(EXCH_EVENT | LOCAL_EVENT)
    data["exch_ts"] = data["local_ts"] = START + np.arange(len(rows)) * STEP
    data["px"], data["qty"], data["order_id"] = rows[:, 2] * TICK, rows[:, 3], rows[:, 4]

    @njit
    def walk(engine):
        fast, slow = 0.0, 0.0
        while engine.wait_next_feed(False, 10**18) == 2:
            depth = engine.depth(0)
            mid = (depth.best_bid + depth.best_ask) * 0.5
            if mid == mid:
                fast += 0.1818 * (mid - fast)
                slow += 0.0952 * (mid - slow)
        depth = engine.depth(0)
        return depth.best_bid, depth.best_ask, fast + slow

    def once(part):
        asset = (
            BacktestAsset().data([part]).linear_asset(1.0).constant_order_latency(0, 0).l3_fifo_queue_model()
            .no_partial_fill_exchange().trading_value_fee_model(0, 0).tick_size(TICK).lot_size(1)
            .last_trades_capacity(0)
        )
        if is_vector:
            engine = ROIVectorMarketDepthBacktest([asset.roi_lb(990).roi_ub(1010)])
        else:
            engine = HashMapMarketDepthBacktest([asset])
        start = time.perf_counter()
        bid, ask, _ = walk(engine)
        seconds = time.perf_counter() - start
        engine.close()
        return seconds, bid, ask

    once(data[:1000].copy())
    return once(data)


def nautilus(rows):
    from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
    from nautilus_trader.config import LoggingConfig, StrategyConfig
    from nautilus_trader.model.currencies import USD
    from nautilus_trader.model.data import BookOrder, OrderBookDelta
    from nautilus_trader.model.enums import AccountType, BookAction, BookType, OmsType, OrderSide, RecordFlag
    from nautilus_trader.model.identifiers import Venue
    from nautilus_trader.model.objects import Money, Price, Quantity
    from nautilus_trader.test_kit.providers import TestInstrumentProvider
    from nautilus_trader.trading.strategy import Strategy

    instrument = TestInstrumentProvider.equity(symbol="LEAGUE", venue="XNAS")

    class Averages(Strategy):
        def __init__(self):
            super().__init__(StrategyConfig())
            self.fast, self.slow, self.best = 0.0, 0.0, (None, None)

        def on_start(self):
            self.subscribe_order_book_deltas(instrument.id, book_type=BookType.L3_MBO)

        def on_order_book_deltas(self, deltas):
            book = self.cache.order_book(instrument.id)
            bid, ask = book.best_bid_price(), book.best_ask_price()
            if bid is not None and ask is not None:
                mid = (bid.as_double() + ask.as_double()) * 0.5
                self.fast += 0.1818 * (mid - self.fast)
                self.slow += 0.0952 * (mid - self.slow)
                self.best = (bid.as_double(), ask.as_double())

    actions = [BookAction.ADD, BookAction.UPDATE, BookAction.DELETE]
    deltas = []
    for number, (action, side, price, quantity, order) in enumerate(rows.tolist()):
        at = START + number * STEP
        resting = BookOrder(
            OrderSide.BUY if side == 0 else OrderSide.SELL, Price(price * TICK, 2), Quantity(quantity, 0), order)
        deltas.append(OrderBookDelta(instrument.id, actions[action], resting, RecordFlag.F_LAST, number, at, at))
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    engine.add_venue(
        Venue("XNAS"), OmsType.NETTING, AccountType.CASH, [Money(1_000_000, USD)], base_currency=USD,
        book_type=BookType.L3_MBO)
    engine.add_instrument(instrument)
    engine.add_data(deltas)
    strategy = Averages()
    engine.add_strategy(strategy)
    start = time.perf_counter()
    engine.run()
    return time.perf_counter() - start, *strategy.best


def main():
    name, count, cache = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    rows = load(1_000_000, cache)[:count]
    seconds, bid, ask = nautilus(rows) if name == "nautilus" else hftbacktest(rows, name.endswith("-roi"))
    print(f"{name} {seconds / count * 1e9:.1f} {bid:.2f} {ask:.2f}")


if __name__ == "__main__":
    main()
