public import LockFreeRings
internal import Synchronization

/// Why a topology stopped before its input ended.
public enum TopologyError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A thread waited longer than its patience for another one.
  case stalled(waiting: String, missing: String, milliseconds: UInt64)
  /// A thread could not be set up.
  case setUp(thread: String, reason: String)
  /// A replayed limit was not used as recorded.
  case diverged(LimitDivergence)

  /// One line for a report.
  public var description: String {
    switch self {
    case .stalled(let waiting, let missing, let milliseconds):
      "\(waiting) waited \(milliseconds) ms for \(missing), which did not answer"
    case .setUp(let thread, let reason): "\(thread): \(reason)"
    case .diverged(let divergence): "the replay of a shared limit left its record: \(divergence)"
    }
  }
}

/// What the threads of a topology tell each other beside their rings: that it is over, and why. Read only by a thread that waits.
public final class TopologyStatus: Sendable {
  /// How long a thread waits for another one that owes it an answer.
  public let patienceMilliseconds: UInt64
  private let first = Mutex<TopologyError?>(nil)
  private let stopping = Atomic<Bool>(false)

  /// A topology that runs.
  public init(patienceMilliseconds: UInt64 = 10_000) { self.patienceMilliseconds = patienceMilliseconds }

  /// The first failure.
  public var failure: TopologyError? { first.withLock { $0 } }

  /// Every thread ends at its next wait.
  public var isStopping: Bool {
    // Acquire, paired with the release in `fail`: the reason is there to be read.
    stopping.load(ordering: .acquiring)
  }

  /// Keeps the first failure and lets every thread end.
  public func fail(_ error: TopologyError) {
    first.withLock { if $0 == nil { $0 = error } }
    stopping.store(true, ordering: .releasing)
  }
}

/// How a thread of a topology waits: looks, then gives its time slice away between looks, and asks now and then whether all is over.
@frozen public struct TopologyWait: Sendable {
  /// Between two looks.
  public var strategy: SpinThenYieldWait
  @usableFromInline let status: TopologyStatus
  /// The thread's name, for reports.
  public let name: String

  /// Waits of the thread called `name`.
  ///
  /// - Parameters:
  ///   - spinsMax: looks before the first yield: few where threads outnumber processors.
  public init(_ name: String, status: TopologyStatus, spinsMax: Int) {
    self.name = name
    self.status = status
    strategy = SpinThenYieldWait(spinsMax: spinsMax)
  }

  /// A wait that is not bound to one other thread: until the slice is over the caller looks, then it asks `isOver`.
  @usableFromInline var slice: Deadline { .after(milliseconds: 20) }

  /// The topology is stopping.
  @usableFromInline var isOver: Bool { status.isStopping }

  /// Until when another thread may take to answer.
  @usableFromInline var patience: Deadline { .after(milliseconds: status.patienceMilliseconds) }

  /// `missing` did not answer in time.
  @inline(never) @usableFromInline func reportStall(of missing: String) {
    status.fail(.stalled(waiting: name, missing: missing, milliseconds: status.patienceMilliseconds))
  }
}
