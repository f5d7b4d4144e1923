internal import Glibc
internal import LockFreeRings
internal import Synchronization
internal import TradingTypes

/// The journal's thread: takes what is there, frames it, seals it, writes it, acknowledges it, and begins again.
struct JournalLoop: ~Copyable, Sendable {
  private var consumer: ThroughputRing<UInt64>.Consumer
  private let storage: any JournalStorage
  private let status: JournalStatus
  private let configuration: JournalWriter.Configuration
  private var batch: FixedBatch<UInt64>

  private var random: SplitMix64
  private var journal: JournalID
  private var epoch: UInt32 = 0
  private var segment: UInt64
  private var offset = 0
  private var chain: ChainDigest
  private var sequence: UInt64
  private var durable: UInt64
  private var lastTime = Timestamp.distantPast
  private var counters = JournalCounters()

  init(
    consumer: consuming ThroughputRing<UInt64>.Consumer, storage: any JournalStorage, status: JournalStatus,
    configuration: JournalWriter.Configuration, batch: consuming FixedBatch<UInt64>, recovered: JournalReport,
    images: [SegmentImage]
  ) throws(JournalError) {
    self.consumer = consumer
    self.storage = storage
    self.status = status
    self.configuration = configuration
    self.batch = batch
    var system = SystemRandomNumberGenerator()
    var random = SplitMix64(seed: configuration.seed ?? system.next())
    let fresh = JournalID(low: random.next(), high: random.next())
    self.random = random
    chain = recovered.chain
    sequence = recovered.lastSequence
    durable = recovered.lastSequence
    segment = images.last?.number ?? 0
    offset = recovered.endBytes
    let previous = images.last.flatMap { try? SegmentHeader(parsing: $0) }
    journal = previous?.journal ?? fresh
    if let previous, previous.segmentBytes != UInt64(configuration.segmentBytes) {
      throw .configuration("segmentBytes is that of the segments there are: \(previous.segmentBytes)")
    }
    try beginSegment(previousWasCut: recovered.end != .clean)
  }

  mutating func run() {
    while true {
      // Asked before the ring: what was published before the stop is then written.
      let isStopping = status.isStopping.load(ordering: .acquiring)
      do throws(JournalError) {
        if try step() > 0 { continue }
      } catch {
        break
      }
      if isStopping { break }
      usleep(max(1, configuration.idleNanoseconds / 1_000))
    }
    status.hasEnded.store(true, ordering: .releasing)
  }

  /// Writes one batch of what is there; how many records, all of them durable.
  ///
  /// - Throws: the failure that poisoned the journal, now and ever after.
  mutating func step() throws(JournalError) -> Int {
    if let failure = status.failure.withLock({ $0 }) { throw failure }
    let count = gather()
    guard count > 0 else { return 0 }
    do throws(JournalError) {
      try commit(count: count)
    } catch {
      throw poison(error)
    }
    return count
  }

  private func poison(_ error: JournalError) -> JournalError {
    let reason: JournalError =
      if case .storage(let operation, let number) = error {
        .poisoned(operation: operation, errorNumber: number)
      } else {
        error
      }
    status.failure.withLock { $0 = reason }
    status.isPoisoned.store(true, ordering: .releasing)
    return reason
  }

  /// Frames records from the ring until it is empty or the batch is full; how many.
  private mutating func gather() -> Int {
    batch.removeAll()
    var count = 0
    var taken = 0
    var last = 0
    while consumer.availableCount(wanted: taken + 4) >= taken + 4 {
      let kind = consumer.element(at: taken)
      let payloadBytes = Int(UInt32(truncatingIfNeeded: kind))
      let payloadWords = (payloadBytes + 7) / 8
      guard JournalFormat.headerWords + payloadWords + JournalFormat.sealWords <= batch.freeCapacity else { break }
      var time = Timestamp(nanoseconds: Int64(bitPattern: consumer.element(at: taken + 1)))
      if time < lastTime {
        time = lastTime
        counters.clampedTimes += 1
      }
      lastTime = time
      sequence += 1
      let header = RecordHeader(
        payloadBytes: payloadBytes, sequence: sequence, epoch: epoch, type: UInt16(truncatingIfNeeded: kind >> 32),
        schemaVersion: UInt8(truncatingIfNeeded: kind >> 48), flags: count == 0 ? .batchFirst : [], time: time,
        trace: TraceID(source: consumer.element(at: taken + 2), sequence: consumer.element(at: taken + 3)))
      last = batch.count
      append(header)
      for index in 0..<payloadWords { batch.append(consumer.element(at: taken + 4 + index)) }
      taken += 4 + payloadWords
      count += 1
    }
    consumer.release(taken)
    if count > 0 { batch[last + 2] |= UInt64(RecordFlags.batchLast.rawValue) << 56 }
    return count
  }

  private mutating func append(_ header: RecordHeader) {
    batch.append(UInt64(header.lengthWord) << 32)
    batch.append(header.sequence)
    batch.append(header.kindWord)
    batch.append(UInt64(bitPattern: header.time.nanoseconds))
    batch.append(header.trace.source)
    batch.append(header.trace.sequence)
  }

  private mutating func commit(count: Int) throws(JournalError) {
    let eventWords = batch.count
    let bytes = JournalFormat.blockAligned(eventWords + JournalFormat.sealWords) * 8
    if offset + bytes > configuration.segmentBytes {
      // The batch was framed with the epoch of the segment it does not go to.
      try beginSegment(previousWasCut: false, firstSequence: sequence - UInt64(count) + 1)
      reframe(words: eventWords)
    }
    checksum(from: 0, to: eventWords)
    let digest: ChainDigest
    do { digest = chain.extended(by: batch.span) }
    append(
      RecordHeader(
        payloadBytes: JournalFormat.sealPayloadWords * 8, sequence: sequence, epoch: epoch, type: 0, schemaVersion: 0,
        flags: .seal, time: lastTime, trace: TraceID(source: 0, sequence: 0)))
    batch.append(sequence - UInt64(count) + 1)
    batch.append(sequence)
    batch.append(UInt64(count))
    batch.append(durable)
    batch.append(digest.words.0)
    batch.append(digest.words.1)
    batch.append(digest.words.2)
    batch.append(digest.words.3)
    checksum(from: eventWords, to: batch.count)
    while batch.count % JournalFormat.blockWords != 0 { batch.append(0) }

    let start = Deadline.after(nanoseconds: 0)
    try write()
    chain = digest
    offset += bytes
    durable = sequence
    if start.hasAged(nanoseconds: configuration.slowCommitNanoseconds) { counters.slowCommits += 1 }
    counters.batches += 1
    counters.records += UInt64(count)
    counters.bytes += bytes
    let told = counters
    status.counters.withLock { $0 = told }
    // Release, paired with the acquire in `durableSequence`: write and sync are complete before the acknowledgement.
    status.durable.store(durable, ordering: .releasing)
  }

  /// Writes the batch at the exact offset, the rest again after a short write.
  private mutating func write() throws(JournalError) {
    let total = batch.count * 8
    var done = 0
    var stalls = 0
    while true {
      let completion: StorageCompletion
      do {
        completion = storage.commit(batch.span.rawBytes.extracting(droppingFirst: done), at: offset + done)
      }
      let passes = [EINTR, EAGAIN].contains(completion.writeError)
      if completion.writeError != 0, !passes {
        throw .storage(operation: "write", errorNumber: completion.writeError)
      }
      let written = min(max(0, completion.writtenBytes), total - done)
      if written == total - done {
        // A failed sync is final: the kernel may have dropped the pages it could not write, and a second sync would say all is well.
        guard completion.isSynced else {
          throw .storage(operation: "sync", errorNumber: completion.syncError == 0 ? EIO : completion.syncError)
        }
        return
      }
      counters.shortWrites += 1
      stalls = written == 0 ? stalls + 1 : 0
      guard stalls < 2 else { throw .storage(operation: "write", errorNumber: EIO) }
      done += written
    }
  }

  /// Begins the next segment. Its epoch and its header's link make what follows belong to it and to nothing else.
  private mutating func beginSegment(previousWasCut: Bool, firstSequence: UInt64? = nil) throws(JournalError) {
    let clocks =
      configuration.clock?()
      ?? (
        wall: SystemClocks.wallNanoseconds,
        monotonic: Int64(clamping: SystemClocks.monotonicNanoseconds)
      )
    epoch = UInt32(truncatingIfNeeded: random.next())
    let header = SegmentHeader(
      flags: previousWasCut ? SegmentHeader.previousWasCut : 0, journal: journal, number: segment + 1, epoch: epoch,
      schema: configuration.schema, firstSequence: firstSequence ?? sequence + 1, previousEndBytes: UInt64(offset),
      previousChain: chain, wallTime: clocks.wall, monotonicTime: clocks.monotonic,
      segmentBytes: UInt64(configuration.segmentBytes))
    let words = header.words
    try storage.begin(
      segment: segment + 1, byteCount: configuration.segmentBytes, header: words.span.rawBytes)
    segment += 1
    chain = chain.extended(by: words.span)
    offset = JournalFormat.blockWords * 8
    counters.segments += 1
  }

  private mutating func reframe(words: Int) {
    var place = 0
    while place < words {
      batch[place + 2] = batch[place + 2] & ~0xFFFF_FFFF | UInt64(epoch)
      place += JournalFormat.recordWords(payloadBytes: Int(batch[place] >> 32))
    }
  }

  /// Fills in the checksums of the records between two places.
  private mutating func checksum(from start: Int, to end: Int) {
    var place = start
    while place < end {
      let length = UInt32(truncatingIfNeeded: batch[place] >> 32)
      let count = JournalFormat.recordWords(payloadBytes: Int(length))
      let crc: UInt32
      do { crc = CRC32C.of(half: length, words: batch.span.extracting((place + 1)..<(place + count))) }
      batch[place] |= UInt64(CRC32C.masked(crc))
      place += count
    }
  }
}

extension Deadline {
  /// Whether `nanoseconds` have passed since this point.
  fileprivate func hasAged(nanoseconds: UInt64) -> Bool {
    let (sum, overflow) = monotonicNanoseconds.addingReportingOverflow(nanoseconds)
    return !overflow && Deadline(monotonicNanoseconds: sum).hasPassed
  }
}
