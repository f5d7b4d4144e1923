internal import CPlatform
internal import Glibc
internal import Synchronization

/// Where a replay of a `SharedLimit` first did something else than its record.
public enum LimitDivergence: Error, Hashable, Sendable, CustomStringConvertible {
  /// Another use came than was recorded.
  case other(recorded: LimitUse, came: LimitUse)
  /// A user came after the end of the record.
  case beyondRecord(user: UInt32, uses: UInt64)
  /// A user waited for its turn, and the one whose turn it was did not come.
  case turnNeverCame(waiting: UInt32, recorded: LimitUse)

  /// One line for a report.
  public var description: String {
    switch self {
    case .other(let recorded, let came):
      "ticket \(recorded.ticket): recorded is \(Self.text(recorded)), what came is \(Self.text(came))"
    case .beyondRecord(let user, let uses): "user \(user) came after all \(uses) recorded uses"
    case .turnNeverCame(let waiting, let recorded):
      "ticket \(recorded.ticket): recorded is \(Self.text(recorded)), which did not come while user \(waiting) waited"
    }
  }

  private static func text(_ use: LimitUse) -> String {
    "limit \(use.number), \(use.kind) \(use.amount) on \(use.stake) by user \(use.user), tag \(use.tag), "
      + (use.isGranted ? "granted" : "refused")
  }
}

/// The recorded order of a limit's uses, and the first departure from it. For replays only: it may lock and wait.
@usableFromInline final class SharedLimitScript: Sendable {
  private let uses: [LimitUse]
  private let patienceMilliseconds: UInt64
  private let first = Mutex<LimitDivergence?>(nil)
  private let hasDiverged = Atomic<Bool>(false)

  init(_ uses: [LimitUse], patienceMilliseconds: UInt64) {
    self.uses = uses.sorted { $0.ticket < $1.ticket }
    self.patienceMilliseconds = patienceMilliseconds
    let isWhole = self.uses.enumerated().allSatisfy { UInt64($0.offset) == $0.element.ticket }
    precondition(isWhole, "SharedLimit: the recorded tickets are 0, 1, 2 and so on")
  }

  var divergence: LimitDivergence? { first.withLock { $0 } }

  /// Yields of a wait before it sleeps in between.
  private static var yieldsMax: Int { 16 }

  /// Waits until the next ticket is `user`'s; false once the replay has diverged.
  func awaitTurn(of user: UInt32, at words: SharedLimitWords) -> Bool {
    var deadline: Deadline?
    var attempt = 0
    while true {
      // Acquire, paired with the release in `diverge`: what diverged is there to be read.
      if hasDiverged.load(ordering: .acquiring) { return false }
      // Acquire: the earlier use is complete when its successor begins.
      let ticket = unsafe words.pair.pointee.load(ordering: .acquiring).second
      guard UInt64(ticket) < UInt64(uses.count) else {
        return diverge(.beyondRecord(user: user, uses: UInt64(uses.count)))
      }
      let next = uses[Int(ticket)]
      if next.user == user { return true }
      let until = deadline ?? .after(milliseconds: patienceMilliseconds)
      deadline = until
      if until.hasPassed { return diverge(.turnNeverCame(waiting: user, recorded: next)) }
      // Where others want the processor too, a thread that only yields comes back before the one whose turn it is.
      if attempt < Self.yieldsMax { martlet_yield() } else { usleep(20) }
      attempt += 1
    }
  }

  /// Keeps `use` as the divergence where it is not what was recorded.
  func compare(_ use: LimitUse) {
    let recorded = uses[Int(use.ticket)]
    if recorded != use { _ = diverge(.other(recorded: recorded, came: use)) }
  }

  private func diverge(_ divergence: LimitDivergence) -> Bool {
    first.withLock { if $0 == nil { $0 = divergence } }
    // Release, paired with the acquire in `awaitTurn`.
    hasDiverged.store(true, ordering: .releasing)
    return false
  }
}
