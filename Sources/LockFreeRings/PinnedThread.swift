internal import CPlatform
internal import Glibc
internal import Synchronization

/// How a thread should run. Every wish may be refused; a refusal is reported, never fatal.
public struct ThreadConfiguration: Hashable, Sendable {
  /// Shown by the system's tools; 15 bytes are kept.
  public var name: String
  /// The processor it is bound to, or nil for any.
  public var processor: Int?
  /// First-in first-out real-time priority, 1 to 99, or nil for ordinary scheduling.
  public var realtimePriority: Int?

  /// A thread called `name`, by default on any processor and with ordinary scheduling.
  public init(name: String, processor: Int? = nil, realtimePriority: Int? = nil) {
    self.name = name
    self.processor = processor
    self.realtimePriority = realtimePriority
  }

  /// Processors the calling thread may be bound to, ascending.
  public static var allowedProcessors: [Int] {
    var found = [CInt](repeating: 0, count: 1024)
    let count = unsafe martlet_allowed_processors(&found, 1024)
    return found.prefix(Int(count)).map(Int.init)
  }
}

/// A system thread of our own, with a name, a processor and a priority where the system grants them.
///
/// Spinning work runs on these, never in a `Task`: the cooperative pool has one thread a core, and a spinning task blocks one.
public final class PinnedThread: Sendable {
  /// What the thread got of its wishes.
  public struct Grant: Sendable, CustomStringConvertible {
    /// The processor it is bound to, or nil.
    public var processor: Int?
    /// Its real-time priority, or nil.
    public var realtimePriority: Int?
    /// Why a wish was refused, one line each.
    public var refusals: [String] = []

    /// One line for a report.
    public var description: String {
      let place = processor.map { "processor \($0)" } ?? "any processor"
      let priority = realtimePriority.map { "real-time priority \($0)" } ?? "ordinary scheduling"
      return ([place, priority] + refusals).joined(separator: ", ")
    }
  }

  /// What the thread got of its wishes.
  public let grant: Grant
  private let identity: pthread_t
  private let isJoined = Mutex(false)

  /// Starts a thread that runs `body` once; returns after its wishes were granted or refused.
  ///
  /// Move-only values travel in a `Handoff`.
  ///
  /// - Precondition: the system can make another thread.
  public init(_ configuration: ThreadConfiguration, body: @escaping @Sendable () -> Void) {
    let start = Start(configuration: configuration, body: body)
    var identity = pthread_t()
    let context = unsafe Unmanaged.passRetained(start).toOpaque()
    let refusal = unsafe pthread_create(
      &identity, nil,
      { context in
        // The retain of `passRetained` is balanced here, on the thread that got it.
        let start = unsafe Unmanaged<Start>.fromOpaque(context!).takeRetainedValue()
        start.run()
        return nil
      }, context)
    precondition(refusal == 0, "PinnedThread: the system can make another thread")
    self.identity = identity
    grant = start.waitForGrant()
  }

  /// Waits until `body` has returned. Further calls return at once.
  public func join() {
    isJoined.withLock { isJoined in
      if !isJoined { pthread_join(identity, nil) }
      isJoined = true
    }
  }

  deinit {
    // Not joined: the system frees the thread when it ends.
    if !isJoined.withLock({ $0 }) { pthread_detach(identity) }
  }

  private final class Start: Sendable {
    let configuration: ThreadConfiguration
    let body: @Sendable () -> Void
    let grant = Mutex<Grant?>(nil)

    init(configuration: ThreadConfiguration, body: @escaping @Sendable () -> Void) {
      self.configuration = configuration
      self.body = body
    }

    func run() {
      var got = Grant()
      func refused(_ wish: String, _ code: CInt) -> Bool {
        guard code != 0 else { return false }
        got.refusals.append("\(wish) refused: \(unsafe String(cString: strerror(code)))")
        return true
      }
      _ = refused("name", unsafe martlet_name_thread(configuration.name))
      if let processor = configuration.processor,
        !refused("processor \(processor)", martlet_pin_thread(CInt(truncatingIfNeeded: processor)))
      {
        got.processor = processor
      }
      if let priority = configuration.realtimePriority,
        !refused("real-time priority \(priority)", martlet_schedule_realtime(CInt(truncatingIfNeeded: priority)))
      {
        got.realtimePriority = priority
      }
      grant.withLock { $0 = got }
      body()
    }

    func waitForGrant() -> Grant {
      while true {
        if let got = grant.withLock({ $0 }) { return got }
        sched_yield()
      }
    }
  }
}

/// Carries a move-only value to another thread: put in once, taken out once.
///
///     let end = Handoff(ring.takeConsumer())
///     let thread = PinnedThread(ThreadConfiguration(name: "decide")) { run(end.take()) }
public final class Handoff<Value: ~Copyable>: @unchecked Sendable {
  // Taken under the lock of `isTaken`, so exactly one caller gets it.
  private var value: Value?
  private let isTaken = Mutex(false)

  /// Holds `value` until it is taken. The value must be one that may change threads: hence the `Sendable`.
  public init(_ value: consuming Value) where Value: Sendable { self.value = consume value }

  /// The value.
  ///
  /// - Precondition: taken once.
  public func take() -> Value {
    let first = isTaken.withLock { isTaken in
      let first = !isTaken
      isTaken = true
      return first
    }
    precondition(first, "Handoff: the value is taken once")
    return value.take()!
  }
}
