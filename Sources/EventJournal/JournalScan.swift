internal import TradingTypes

/// One pass over a journal's segments: the rules of recovery, without any reading or writing.
struct JournalScan {
  var report = JournalReport(end: .clean)
  private var next: UInt64 = 1
  private var chain = ChainDigest()

  mutating func run(_ segments: [SegmentImage]) {
    var before: SegmentHeader?
    for (index, segment) in segments.enumerated() {
      report.segments += 1
      let isLast = index == segments.count - 1
      let words = segment.words.span
      let header: SegmentHeader
      do throws(JournalDamage) {
        header = try SegmentHeader(parsing: segment)
        try check(header, of: segment, after: before)
      } catch {
        return damaged(segment.number, error)
      }
      if before == nil {
        next = header.firstSequence
        report.lastSequence = next &- 1
        report.lastSealedSequence = next &- 1
      }
      chain = header.previousChain.extended(by: words.extracting(0..<JournalFormat.blockWords))
      report.chain = chain
      let stop = scan(segment, epoch: header.epoch)
      guard !stop.damage.isFinal else { return damaged(segment.number, stop.damage.reason, at: stop) }
      if isLast {
        return finish(segment, stop, epoch: header.epoch, size: header.segmentBytes)
      }
      guard let following = try? SegmentHeader(parsing: segments[index + 1]) else {
        return damaged(segments[index + 1].number, .headerChecksum)
      }
      if let damage = brokenLink(segment, stop, to: following) { return damaged(segment.number, damage, at: stop) }
      before = header
    }
  }

  /// Where the valid part of a segment ends, and why.
  private struct Stop {
    /// Words of the longest valid prefix.
    var place: Int
    /// Where the batch begins that did not end, or `place`.
    var batchStart: Int
    var unsealed: UInt64
    var batchFirst: UInt64
    var damage: Reason

    enum Reason {
      /// Zeros, or the end of the segment.
      case end
      /// A record does not validate.
      case invalid(JournalDamage)
      /// All bytes validate and still disagree: no crash leaves that.
      case final(JournalDamage)

      var isFinal: Bool { if case .final = self { true } else { false } }
      var reason: JournalDamage {
        switch self {
        case .end: .brokenLink
        case .invalid(let damage), .final(let damage): damage
        }
      }
    }
  }

  private func check(
    _ header: SegmentHeader, of segment: SegmentImage, after before: SegmentHeader?
  ) throws(JournalDamage) {
    guard header.number == segment.number, header.segmentBytes <= 1 << 40 else { throw .headerMismatch }
    guard let before else {
      // The oldest segment kept need not be the first one written, but the first one written starts at 1.
      if header.number == 1, header.firstSequence != 1 { throw .brokenLink }
      if header.firstSequence == 0 { throw .headerMismatch }
      return
    }
    // Wrapping: the number comes from a file's name and may be anything.
    guard header.number == before.number &+ 1 else { throw .missingSegment(number: before.number &+ 1) }
    guard header.journal == before.journal, header.segmentBytes == before.segmentBytes else { throw .headerMismatch }
  }

  private mutating func damaged(_ segment: UInt64, _ damage: JournalDamage, at stop: Stop? = nil) {
    // Under a seal that does not fit, no record of its batch is known to be right.
    let first = (stop?.damage.isFinal ?? false) ? stop!.batchFirst : next
    report.end = .damaged(firstBadSequence: first, segment: segment, damage: damage)
  }

  /// Walks the batches of one segment; moves the report on with each record and seal that validates.
  private mutating func scan(_ segment: SegmentImage, epoch: UInt32) -> Stop {
    let words = segment.words.span
    var place = JournalFormat.blockWords
    while true {
      let batchStart = place
      let batchFirst = next
      var isSealed = false
      while !isSealed {
        let unsealed = next &- batchFirst
        func stop(_ reason: Stop.Reason) -> Stop {
          Stop(place: place, batchStart: batchStart, unsealed: unsealed, batchFirst: batchFirst, damage: reason)
        }
        report.endBytes = place * 8
        let record: RecordHeader
        let count: Int
        switch RecordScan.at(place, in: words, epoch: epoch) {
        case .nothing: return stop(place == batchStart ? .end : .invalid(.recordChecksum))
        case .invalid: return stop(.invalid(.recordChecksum))
        case .record(let found, let length): (record, count) = (found, length)
        }
        if record.flags.contains(.seal) {
          guard unsealed > 0, let seal = Seal(record, words.extracting(place..<(place + count))) else {
            return stop(.final(.sealMismatch))
          }
          let extended = chain.extended(by: words.extracting(batchStart..<place))
          guard
            seal.first == batchFirst, seal.last == next &- 1, record.sequence == seal.last, seal.count == unsealed,
            seal.durable < batchFirst, seal.chain == extended
          else { return stop(.final(.sealMismatch)) }
          let end = min(JournalFormat.blockAligned(place + count), words.count)
          for index in (place + count)..<end where words[index] != 0 {
            // The seal is whole: the batch was written as far as it says anything.
            return stop(.final(.paddingNotZero))
          }
          chain = extended
          report.lastSealedSequence = next &- 1
          report.durableSequence = max(report.durableSequence, seal.durable)
          place = end
          isSealed = true
        } else {
          guard record.sequence == next, record.flags.contains(.batchFirst) == (unsealed == 0) else {
            return stop(.invalid(.recordSequence))
          }
          next &+= 1
          place += count
          report.lastSequence = record.sequence
        }
        report.chain = chain
        report.endBytes = place * 8
      }
    }
  }

  /// Judges the end of the last segment: clean, torn, or damage that valid later data gives away.
  private mutating func finish(_ segment: SegmentImage, _ stop: Stop, epoch: UInt32, size: UInt64) {
    let words = segment.words.span
    if stop.unsealed > 0 { report.chain = chain.extended(by: words.extracting(stop.batchStart..<stop.place)) }
    // A batch is only begun once the one before is durable, so the start of a later batch says that this one was whole.
    var block = JournalFormat.blockAligned(stop.batchStart + 1)
    while block < words.count {
      if case .record(let record, _) = RecordScan.at(block, in: words, epoch: epoch),
        record.flags.contains(.batchFirst), !record.flags.contains(.seal), record.sequence > stop.batchFirst
      {
        return damaged(segment.number, stop.damage.reason, at: stop)
      }
      block += JournalFormat.blockWords
    }
    var last = words.count
    while last > stop.place, words[last - 1] == 0 { last -= 1 }
    let missing = max(0, Int(size) - segment.byteCount)
    if last == stop.place, missing == 0, stop.unsealed == 0 {
      report.end = .clean
    } else {
      report.end = .tornTail(cutBytes: max(0, last - stop.place) * 8 + missing, unsealedRecords: stop.unsealed)
    }
  }

  /// Whether the next segment's header names exactly this end.
  private func brokenLink(_ segment: SegmentImage, _ stop: Stop, to following: SegmentHeader) -> JournalDamage? {
    let words = segment.words.span
    let end =
      stop.unsealed > 0 ? chain.extended(by: words.extracting(stop.batchStart..<stop.place)) : chain
    guard
      following.firstSequence == next, following.previousEndBytes == UInt64(stop.place * 8),
      following.previousChain == end
    else {
      if case .invalid(let damage) = stop.damage { return damage }
      return .brokenLink
    }
    guard following.flags & SegmentHeader.previousWasCut == 0 else { return nil }
    // Closed whole: what follows the last batch was never written.
    for index in stop.place..<max(stop.place, words.count) where words[index] != 0 { return .paddingNotZero }
    return UInt64(segment.byteCount) == following.segmentBytes ? nil : .paddingNotZero
  }
}

/// What a seal says of its batch.
struct Seal {
  var first: UInt64
  var last: UInt64
  var count: UInt64
  var durable: UInt64
  var chain: ChainDigest

  init(first: UInt64, last: UInt64, count: UInt64, durable: UInt64, chain: ChainDigest) {
    self.first = first
    self.last = last
    self.count = count
    self.durable = durable
    self.chain = chain
  }

  /// The seal in the words of its record, or nil where the payload has another size.
  init?(_ record: RecordHeader, _ words: Span<UInt64>) {
    guard record.payloadBytes == JournalFormat.sealPayloadWords * 8, words.count == JournalFormat.sealWords else {
      return nil
    }
    self.init(
      first: words[6], last: words[7], count: words[8], durable: words[9],
      chain: ChainDigest(words[10], words[11], words[12], words[13]))
  }
}
