internal import MarketIngest
public import PositionSizing
public import TradingTypes

/// How stage 5 came to the size of a decision: every intermediate, and why there is no order where there is none.
@frozen public struct SizedDecision: BitwiseCopyable, Sendable {
  /// Sequence of the market event that caused the decision: that of the `Decision`.
  public var sequence: UInt64
  /// Event time of the decision.
  public var time: Timestamp
  /// The instrument.
  public var instrument: InstrumentID
  /// Why there is no order; nil where there is one.
  public var reason: SizingReason?
  /// Every intermediate.
  public var record: SizingRecord

  /// A size and how it was found.
  @inlinable public init(
    sequence: UInt64, time: Timestamp, instrument: InstrumentID, reason: SizingReason?, record: SizingRecord
  ) {
    self.sequence = sequence
    self.time = time
    self.instrument = instrument
    self.reason = reason
    self.record = record
  }
}

// A size in a journal: 32 words.
//
//     0  sequence   1  time   2  instrument | reason + 1 << 32 | preset << 40 | cap << 48 | why the wanted share is 0 << 56
//     3  usable VIX | cap << 8 | reason << 16 of the continuous preset   4  mean   5  observations
//     6 ..< 14  the continuous preset's steps in their order   14 ..< 23  kelly … fraction in theirs
//    23 ..< 27  notional wanted, notional (low word first)   27  reference price   28 ..< 32  target, difference, band, most of an increase
extension SizedDecision {
  @usableFromInline static var wordCount: Int { 32 }

  /// The payload of a `JournalRecord.sizing`.
  @usableFromInline var journalWords: InlineArray<32, UInt64> {
    let steps = record.continuous
    var words = InlineArray<32, UInt64>(repeating: 0)
    words[0] = sequence
    words[1] = UInt64(bitPattern: time.nanoseconds)
    words[2] =
      UInt64(instrument.index) | UInt64(reason.map { $0.rawValue + 1 } ?? 0) << 32
      | UInt64(record.preset.rawValue) << 40 | UInt64(record.cap.rawValue) << 48 | UInt64(record.nothing.rawValue) << 56
    words[3] =
      (record.isVIXUsable ? 1 : 0) | UInt64(steps.cap.rawValue) << 8 | UInt64(steps.reason.rawValue) << 16
    words[4] = record.meanPercent.bitPattern
    words[5] = UInt64(bitPattern: record.observations)
    words[6] = steps.volatilityVIX.bitPattern
    words[7] = steps.volatility.bitPattern
    words[8] = steps.kelly.bitPattern
    words[9] = steps.shrinkage.bitPattern
    words[10] = steps.fractionWanted.bitPattern
    words[11] = steps.volatilityCap.bitPattern
    words[12] = steps.drawdownMultiplier.bitPattern
    words[13] = steps.fraction.bitPattern
    words[14] = record.kelly.bitPattern
    words[15] = record.vixFactor.bitPattern
    words[16] = record.variance.bitPattern
    words[17] = record.volatilityAnnual.bitPattern
    words[18] = record.volatilityFactor.bitPattern
    words[19] = record.signalSize.bitPattern
    words[20] = record.confidence.bitPattern
    words[21] = record.modeFactor.bitPattern
    words[22] = record.fraction.bitPattern
    words[23] = UInt64(truncatingIfNeeded: record.notionalWanted.nanos)
    words[24] = UInt64(truncatingIfNeeded: record.notionalWanted.nanos >> 64)
    words[25] = UInt64(truncatingIfNeeded: record.notional.nanos)
    words[26] = UInt64(truncatingIfNeeded: record.notional.nanos >> 64)
    words[27] = UInt64(bitPattern: record.referencePrice.nanos)
    words[28] = UInt64(bitPattern: record.target.lots)
    words[29] = UInt64(bitPattern: record.difference.lots)
    words[30] = UInt64(bitPattern: record.band.lots)
    words[31] = UInt64(bitPattern: record.increaseMax.lots)
    return words
  }

  /// The size that a journal's record holds, or nil where its bytes are none.
  public init?(journalPayload bytes: RawSpan) {
    guard bytes.byteCount == 8 * Self.wordCount else { return nil }
    let view = ByteView(bytes)
    self.init(journalWords: InlineArray { view.littleEndian64(at: $0 * 8) })
  }

  /// The size that `words` are, or nil where they are none; no allocation.
  init?(journalWords words: InlineArray<32, UInt64>) {
    func word(_ place: Int) -> UInt64 { words[place] }
    func byte(_ place: Int, _ index: Int) -> UInt8 { UInt8(truncatingIfNeeded: words[place] >> UInt64(8 * index)) }
    func number(_ place: Int) -> Double { Double(bitPattern: word(place)) }
    func lots(_ place: Int) -> Quantity { Quantity(lots: Int64(bitPattern: word(place))) }
    func money(_ place: Int) -> Money {
      Money(nanos: Int128(Int64(bitPattern: word(place + 1))) << 64 | Int128(word(place)))
    }
    let reason = byte(2, 4) == 0 ? nil : SizingReason(rawValue: byte(2, 4) - 1)
    guard (reason == nil) == (byte(2, 4) == 0), let preset = SizingPreset(rawValue: byte(2, 5)),
      let cap = SizingCap(rawValue: byte(2, 6)), let nothing = SizingReason(rawValue: byte(2, 7)), byte(3, 0) <= 1,
      let stepsCap = ContinuousSizing.Cap(rawValue: byte(3, 1)),
      let stepsReason = ContinuousSizing.Reason(rawValue: byte(3, 2)), word(3) >> 24 == 0
    else { return nil }
    var record = SizingRecord()
    (record.preset, record.cap, record.nothing, record.isVIXUsable) = (preset, cap, nothing, byte(3, 0) == 1)
    (record.continuous.cap, record.continuous.reason) = (stepsCap, stepsReason)
    record.meanPercent = number(4)
    record.observations = Int64(bitPattern: word(5))
    record.continuous.volatilityVIX = number(6)
    record.continuous.volatility = number(7)
    record.continuous.kelly = number(8)
    record.continuous.shrinkage = number(9)
    record.continuous.fractionWanted = number(10)
    record.continuous.volatilityCap = number(11)
    record.continuous.drawdownMultiplier = number(12)
    record.continuous.fraction = number(13)
    record.kelly = number(14)
    record.vixFactor = number(15)
    record.variance = number(16)
    record.volatilityAnnual = number(17)
    record.volatilityFactor = number(18)
    record.signalSize = number(19)
    record.confidence = number(20)
    record.modeFactor = number(21)
    record.fraction = number(22)
    (record.notionalWanted, record.notional) = (money(23), money(25))
    record.referencePrice = Price(nanos: Int64(bitPattern: word(27)))
    (record.target, record.difference, record.band, record.increaseMax) = (lots(28), lots(29), lots(30), lots(31))
    self.init(
      sequence: word(0), time: Timestamp(nanoseconds: Int64(bitPattern: word(1))),
      instrument: InstrumentID(index: UInt32(truncatingIfNeeded: word(2))), reason: reason, record: record)
  }
}
