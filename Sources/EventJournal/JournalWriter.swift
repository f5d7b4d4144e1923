internal import Glibc
public import LockFreeRings
internal import Synchronization
internal import TradingTypes

/// Writes a journal: owns the thread that groups, seals, chains and writes what the producer publishes.
///
/// A record is durable once its batch was written whole and the sync linked behind the write is complete. Records become durable in the order of
/// their sequence. The first failed write or sync is final: no acknowledgement follows it, every waiting caller gets the error, and only
/// a new start, which reads the journal again, goes on.
public final class JournalWriter: Sendable {
  /// Settings of a writer.
  public struct Configuration: Sendable {
    /// Bytes of a segment, whole blocks of 4 KiB.
    public var segmentBytes = 64 << 20
    /// Bytes of a batch at most, seal and filling included.
    public var batchBytesMax = 256 << 10
    /// Words of the ring between producer and journal, a power of two.
    public var ringWords = 1 << 16
    /// The host's number for its set of record types; stands in each segment's header.
    public var schema: UInt32 = 0
    /// How the journal's thread should run.
    public var thread = ThreadConfiguration(name: "journal")
    /// How long the thread sleeps when there is nothing to write.
    public var idleNanoseconds: UInt32 = 50_000
    /// A commit that takes longer is counted as slow.
    public var slowCommitNanoseconds: UInt64 = 50_000_000
    /// Seed of the journal's id and the segments' epochs, for simulations; nil takes both from the system.
    public var seed: UInt64?
    /// Wall and monotonic nanoseconds for the segments' headers; nil reads the system's clocks.
    public var clock: (@Sendable () -> (wall: Int64, monotonic: Int64))?

    /// The defaults.
    public init() {}
  }

  /// The report on what was there at the start.
  public let recovered: JournalReport
  /// One line for the log: how the bytes go to the disk, and what the thread got.
  public let summary: String

  private let status: JournalStatus
  private let thread: PinnedThread
  private let producer: Handoff<JournalProducer>
  private let storage: any JournalStorage

  /// Opens the journal in `storage`, begins a new segment behind what is there, and starts the journal's thread.
  ///
  /// A torn tail stays as it is; the new segment's header names where the accepted part ends.
  ///
  /// - Throws: `JournalError.damaged` when what is there must not be continued, `.configuration`, or `.storage`.
  public init(
    storage: any JournalStorage, configuration: Configuration = Configuration(), in arena: Arena
  ) throws(JournalError) {
    let status = JournalStatus()
    let ends = try JournalLoop.open(storage: storage, configuration: configuration, status: status, in: arena)
    let loop = ends.loop.take()
    producer = ends.producer
    recovered = ends.recovered
    let handoff = Handoff(loop)
    let thread = PinnedThread(configuration.thread) {
      var loop = handoff.take()
      loop.run()
    }
    self.status = status
    self.storage = storage
    self.thread = thread
    summary = "journal: \(storage.backend); thread: \(thread.grant)"
  }

  /// The hot side.
  ///
  /// - Precondition: taken once.
  public func takeProducer() -> JournalProducer { producer.take() }

  /// The sequence up to which everything is durable.
  public var durableSequence: UInt64 {
    // Acquire: what the caller does next comes after the sync.
    status.durable.load(ordering: .acquiring)
  }

  /// Whether a write or sync has failed; one load, for the kill switch to ask.
  public var isPoisoned: Bool { status.isPoisoned.load(ordering: .acquiring) }

  /// What the thread has done so far.
  public var counters: JournalCounters { status.counters.withLock { $0 } }

  /// Waits until everything up to `sequence` is durable: give it the producer's `lastSequence`.
  ///
  /// - Throws: `.poisoned` after a failed write or sync, `.closed` when the thread has ended without it, `.timedOut`.
  public func flush(through sequence: UInt64, until deadline: Deadline) throws(JournalError) {
    while true {
      // Asked before the sequence: an end that came after the last acknowledgement must not hide it.
      let hasEnded = status.hasEnded.load(ordering: .acquiring)
      if durableSequence >= sequence { return }
      if let failure = status.failure.withLock({ $0 }) { throw failure }
      if hasEnded { throw .closed }
      if deadline.hasPassed { throw .timedOut }
      usleep(20)
    }
  }

  /// Writes what was published before, then ends the thread and closes the storage.
  ///
  /// The producer publishes nothing during and after this call.
  ///
  /// - Throws: `.poisoned` when something was not written, `.timedOut` when the thread is still writing at the deadline; it goes on then.
  public func close(until deadline: Deadline) throws(JournalError) {
    status.isStopping.store(true, ordering: .releasing)
    while !status.hasEnded.load(ordering: .acquiring) {
      if deadline.hasPassed { throw .timedOut }
      usleep(20)
    }
    thread.join()
    storage.close()
    if let failure = status.failure.withLock({ $0 }) { throw failure }
  }

  deinit {
    // Abandoned without a close: the thread writes what there is and ends.
    status.isStopping.store(true, ordering: .releasing)
  }
}
