import LockFreeRings
import OrderBooks
import TradingTypes
@inline(never) func probeSum(_ view: borrowing DepthView) -> Int64 { view.bids[1].price.nanos &+ view.asks[2].quantity.lots }
@inline(never) func probeDepthField(_ b: borrowing OrderBookSet, _ i: UInt32) -> Int64 { b[depth: InstrumentID(index: i)].asks[3].price.nanos }
@inline(never) func probeDepthPass(_ b: borrowing OrderBookSet, _ i: UInt32) -> Int64 { probeSum(b[depth: InstrumentID(index: i)]) }
@inline(never) func probeDepthPassInout(_ b: inout OrderBookSet, _ i: UInt32) -> Int64 { probeSum(b[depth: InstrumentID(index: i)]) }
