public import LockFreeRings
internal import Synchronization

/// A journal without a thread: its owner says when a batch is written. For simulations, where the same seed must give the same bytes.
public struct SteppedJournal: ~Copyable {
  /// The report on what was there at the start.
  public let recovered: JournalReport
  private var loop: JournalLoop
  private let status: JournalStatus
  private let producer: Handoff<JournalProducer>

  /// Opens the journal in `storage` and begins a new segment behind what is there.
  ///
  /// - Throws: as `JournalWriter.init`.
  public init(
    storage: any JournalStorage, configuration: JournalWriter.Configuration, in arena: Arena
  ) throws(JournalError) {
    let status = JournalStatus()
    let ends = try JournalLoop.open(storage: storage, configuration: configuration, status: status, in: arena)
    self.status = status
    recovered = ends.recovered
    loop = ends.loop.take()
    producer = ends.producer
  }

  /// The hot side.
  ///
  /// - Precondition: taken once.
  public func takeProducer() -> JournalProducer { producer.take() }

  /// The sequence up to which everything is durable.
  public var durableSequence: UInt64 { status.durable.load(ordering: .acquiring) }

  /// What was done so far.
  public var counters: JournalCounters { status.counters.withLock { $0 } }

  /// Writes one batch of what was published; how many records, all of them durable then.
  ///
  /// - Throws: `.poisoned` after a failed write or sync, now and ever after.
  public mutating func commit() throws(JournalError) -> Int { try loop.step() }
}

/// What opening a journal gives: the two sides, and what was there.
struct JournalEnds {
  var loop: Handoff<JournalLoop>
  var producer: Handoff<JournalProducer>
  var recovered: JournalReport
}

extension JournalLoop {
  /// Reads what `storage` holds, refuses what must not be continued, and begins a segment.
  static func open(
    storage: any JournalStorage, configuration: JournalWriter.Configuration, status: JournalStatus, in arena: Arena
  ) throws(JournalError) -> JournalEnds {
    let block = JournalFormat.blockWords * 8
    guard configuration.segmentBytes % block == 0, configuration.segmentBytes >= 2 * block else {
      throw .configuration("segmentBytes is a multiple of 4096, at least 8192")
    }
    let batchBytes = min(configuration.batchBytesMax, configuration.segmentBytes - block) / block * block
    guard batchBytes >= block, batchBytes <= 1 << 30 else { throw .configuration("batchBytesMax is at least 4096") }
    let images = try storage.images()
    let recovered = JournalReader.verify(segments: images)
    guard recovered.mayContinue else { throw .damaged(recovered.end) }

    let overhead = (JournalFormat.headerWords + JournalFormat.sealWords) * 8
    let payloadBytesMax = min(
      JournalFormat.payloadBytesMax, batchBytes - overhead, (configuration.ringWords - 4) * 8)
    var ring: ThroughputRing<UInt64>
    do throws(RingError) {
      ring = try ThroughputRing(capacity: configuration.ringWords, repeating: 0, in: arena)
    } catch {
      throw .configuration(error.description)
    }
    guard arena.freeBytes >= batchBytes + 4096 else { throw .configuration("the arena has room for a batch") }
    status.durable.store(recovered.lastSequence, ordering: .releasing)
    let loop = try JournalLoop(
      consumer: ring.takeConsumer(), storage: storage, status: status, configuration: configuration,
      batch: FixedBatch(capacity: batchBytes / 8, in: arena), recovered: recovered, images: images)
    let producer = Handoff(
      JournalProducer(
        ring: ring.takeProducer(), status: status, payloadBytesMax: payloadBytesMax, sequence: recovered.lastSequence))
    return JournalEnds(loop: Handoff(loop), producer: producer, recovered: recovered)
  }
}
