internal import Glibc
public import LockFreeRings
internal import Synchronization

/// Runs a `Refitter` on a thread of its own until it is stopped.
public final class RefitThread: Sendable {
  private final class Shared: Sendable {
    let isStopping = Atomic<Bool>(false)
    let requests = Atomic<UInt64>(0)
    let report: Mutex<Refitter.Report?> = Mutex(nil)
  }

  private let shared = Shared()
  private let thread: PinnedThread

  /// Starts the thread.
  ///
  /// - Parameters:
  ///   - configuration: where it runs: not on the processor of a pipeline.
  ///   - idleNanoseconds: how long it sleeps where there is nothing to do; a millisecond by default.
  public init(
    _ refitter: consuming Refitter, on configuration: ThreadConfiguration = ThreadConfiguration(name: "refit"),
    idleNanoseconds: UInt32 = 1_000_000
  ) {
    let end = Handoff(refitter)
    let shared = shared
    thread = PinnedThread(configuration) {
      var refitter = end.take()
      var heeded: UInt64 = 0
      // Acquiring and releasing throughout: each is asked once a turn, which takes a microsecond at least.
      while !shared.isStopping.load(ordering: .acquiring) {
        let asked = shared.requests.load(ordering: .acquiring)
        if asked != heeded {
          heeded = asked
          refitter.request()
        }
        if refitter.step() {
          shared.report.withLock { $0 = refitter.report }
        } else {
          usleep(max(1, idleNanoseconds / 1_000))
        }
      }
      shared.report.withLock { $0 = refitter.report }
    }
  }

  /// Asks for a fit as soon as it can be, whatever the schedule says.
  public func request() { shared.requests.wrappingAdd(1, ordering: .releasing) }

  /// What was done so far; nil before there was anything.
  public var report: Refitter.Report? { shared.report.withLock { $0 } }

  /// Ends the thread after what it is doing, and waits for that. A change on its way may still take effect.
  public func stop() {
    shared.isStopping.store(true, ordering: .releasing)
    thread.join()
  }

  deinit { shared.isStopping.store(true, ordering: .releasing) }
}
