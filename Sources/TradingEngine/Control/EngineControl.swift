public import LockFreeRings
internal import Synchronization
public import TradingTypes

/// What other threads tell a running pipeline: one immutable value, swapped whole.
@frozen public struct ControlOrder: BitwiseCopyable, Sendable {
  /// The policy in force.
  public var policy: PolicySnapshot
  /// The kill level asked for from outside.
  public var requestedLevel: KillLevel
  /// Raised by one with every authorised re-arm.
  public var rearmCount: UInt64
}

/// The policy store and the manual kill switch: how any thread steers a running pipeline.
///
/// Each change is a new version of one value. The pipeline reads it once a decision, at the cost of one load while nothing
/// changed, so a decision never sees two versions. Writers take a lock among themselves only.
public final class EngineControl: Sendable {
  private struct State: ~Copyable {
    var cell: SnapshotCell<ControlOrder>
    var order: ControlOrder
    var history: [String] = []
  }
  private let state: Mutex<State>

  /// A control whose first policy is `policy`; an engine without a good policy starts in DEFENSIVE.
  public init(
    policy: PolicySnapshot = .standard(.defensive), in arena: Arena
  ) throws(ArenaError) {
    let order = ControlOrder(policy: policy, requestedLevel: .active, rearmCount: 0)
    let cell = try SnapshotCell(order, in: arena)
    state = Mutex(State(cell: cell, order: order))
  }

  /// The policy in force.
  public var policy: PolicySnapshot { state.withLock { $0.order.policy } }

  /// What was changed, by whom and why, oldest first.
  public var history: [String] { state.withLock { $0.history } }

  /// Puts the standard values of a mode in force.
  public func setMode(_ mode: PolicyMode, by whom: String) { setPolicy(.standard(mode), by: whom) }

  /// Puts `policy` in force under the next version number.
  public func setPolicy(_ policy: PolicySnapshot, by whom: String) {
    change("policy \(policy.mode) by \(whom)") {
      var next = policy
      next.version = $0.policy.version + 1
      $0.policy = next
    }
  }

  /// Asks every pipeline to stop at `level` before its next decision; anyone may ask.
  public func requestKill(_ level: KillLevel, by whom: String) {
    change("kill \(level) by \(whom)") { $0.requestedLevel = max($0.requestedLevel, level) }
  }

  /// Lets trading start again: an act that a person authorises and that is kept in `history`.
  ///
  /// - Precondition: `authorisedBy` and `reason` say something.
  public func rearm(authorisedBy whom: String, reason: String) {
    precondition(!whom.isEmpty && !reason.isEmpty, "EngineControl: a re-arm names a person and a reason")
    change("re-arm authorised by \(whom): \(reason)") {
      $0.requestedLevel = .active
      $0.rearmCount += 1
    }
  }

  /// A reader for one pipeline.
  public func reader() throws(ArenaError) -> SnapshotReader<ControlOrder> {
    try state.withLock { state throws(ArenaError) in try state.cell.reader() }
  }

  private func change(_ line: String, _ body: (inout ControlOrder) -> Void) {
    state.withLock {
      body(&$0.order)
      $0.cell.publish($0.order)
      $0.history.append(line)
    }
  }
}
