public import LockFreeRings
public import TradingTypes

/// Where decisions and reports go: a checksum, a journal, a host's own log. Called after the decision's time was taken.
public protocol DecisionSink: ~Copyable {
  /// A decision ended; `plan` holds its child orders when it was routed.
  mutating func record(_ decision: borrowing Decision, plan: borrowing RoutePlan)
  /// How the size of the decision that comes next was found; only where stage 5 was asked.
  mutating func record(_ sizing: borrowing SizedDecision)
  /// A venue reported about one of our orders, and the ledger took it in.
  mutating func record(_ report: borrowing ExecutionReport)
  /// A limit that several pipelines share was used at an event time; its ticket says when among all uses.
  mutating func record(_ use: borrowing LimitUse, at time: Timestamp)
  /// Models changed; what comes from here on was decided under the new ones.
  mutating func record(_ swap: borrowing ModelSwap)
  /// A refit changed the parameters of an instrument at a bar's end; what comes from here on was decided under the new ones.
  mutating func record(_ refit: borrowing RefitRecord)
}

extension DecisionSink where Self: ~Copyable {
  /// How sizes were found is no concern of most sinks.
  @inlinable public mutating func record(_ sizing: borrowing SizedDecision) {}

  /// Uses of shared limits are no concern of most sinks.
  @inlinable public mutating func record(_ use: borrowing LimitUse, at time: Timestamp) {}

  /// Changes of models are no concern of sinks that keep nothing for a replay.
  @inlinable public mutating func record(_ swap: borrowing ModelSwap) {}

  /// Refits are no concern of sinks that keep nothing for a replay.
  @inlinable public mutating func record(_ refit: borrowing RefitRecord) {}
}

/// The decision checksum: FNV-1a 64 over one little-endian record a decision, in input order.
///
/// A record is: message number u64, event time i64, instrument u32, verdict u16, check u16, side u8, price i64, quantity i64, then
/// for each child venue u16, price i64, quantity i64. No floating-point number and no clock is in it, so it is equal for every
/// offered rate, topology and instruction set.
@frozen public struct DecisionChecksum: DecisionSink, ~Copyable {
  /// The hash so far.
  public var hash = FNV1a64()

  /// The checksum of no decision.
  @inlinable public init() {}

  /// 16 hexadecimal digits.
  public var hex: String { hash.hex }

  /// Adds a decision.
  @inlinable @inline(__always) public mutating func record(
    _ decision: borrowing Decision, plan: borrowing RoutePlan
  ) {
    hash.combine(decision.sequence)
    hash.combine(decision.time.nanoseconds)
    hash.combine(decision.instrument.index)
    hash.combine(decision.verdict.rawValue)
    hash.combine(decision.check)
    hash.combine(decision.side)
    hash.combine(decision.price.nanos)
    hash.combine(decision.quantity.lots)
    guard decision.verdict == .routed else { return }
    for index in 0..<plan.count {
      hash.combine(plan.children[index].venue.index)
      hash.combine(plan.children[index].price.nanos)
      hash.combine(plan.children[index].quantity.lots)
    }
  }

  /// Reports are no part of the checksum.
  @inlinable public mutating func record(_ report: borrowing ExecutionReport) {}
}
