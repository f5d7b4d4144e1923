public import TradingTypes

/// Writes ITCH 5.0 messages into one growing buffer, each behind its length as two big-endian bytes.
///
/// For tests and generated inputs: it writes what it is told, sensible or not. Prices are in 1e-4 of the currency, times in
/// nanoseconds since midnight, stocks are eight characters, first one lowest, padded with blanks (`field(_:)`).
public struct ItchWriter {
  /// What every message begins with.
  public struct Header: BitwiseCopyable, Sendable {
    /// The day's number of the stock.
    public var locate: UInt16
    /// Nanoseconds since midnight; 48 bits are written.
    public var time: UInt64
    /// The exchange's internal tracking number.
    public var tracking: UInt16

    /// The start of a message.
    public init(locate: UInt16, time: UInt64, tracking: UInt16 = 0) {
      self.locate = locate
      self.time = time
      self.tracking = tracking
    }
  }

  private var buffer: [UInt8]
  /// Bytes written so far.
  public private(set) var byteCount = 0
  /// Messages written so far.
  public private(set) var messageCount = 0

  /// An empty writer with room for `capacityBytes` bytes before its first growth.
  public init(capacityBytes: Int = 4096) { buffer = [UInt8](repeating: 0, count: max(64, capacityBytes)) }

  /// The bytes written so far; the writer is empty afterwards.
  public mutating func takeBytes() -> [UInt8] {
    buffer.removeLast(buffer.count - byteCount)
    let taken = buffer
    self = ItchWriter()
    return taken
  }

  /// The eight bytes of a stock field: `symbol` padded with blanks, first character lowest.
  ///
  /// - Precondition: the symbol has at most eight characters.
  public static func field(_ symbol: Symbol) -> UInt64 {
    precondition(symbol.high == 0, "ItchWriter: a symbol has at most eight characters")
    var field = symbol.low
    for place in 0..<8 where UInt8(truncatingIfNeeded: symbol.low >> UInt64(8 * place)) == 0 {
      field |= 0x20 << UInt64(8 * place)
    }
    return field
  }

  // MARK: - Orders

  /// A: an order rests. With `attribution` F: the four characters of its maker, first one lowest.
  public mutating func addOrder(
    _ header: Header, reference: UInt64, side: Side, shares: UInt32, stock: UInt64, price: UInt32,
    attribution: UInt32? = nil
  ) {
    begin(attribution == nil ? "A" : "F", length: attribution == nil ? 36 : 40, header)
    put(reference)
    put(side == .buy ? UInt8(ascii: "B") : UInt8(ascii: "S"))
    put(shares)
    put(stock.byteSwapped)
    put(price)
    if let attribution { put(attribution.byteSwapped) }
  }

  /// E: a resting order trades at its price.
  public mutating func executeOrder(_ header: Header, reference: UInt64, shares: UInt32, match: UInt64) {
    begin("E", length: 31, header)
    put(reference)
    put(shares)
    put(match)
  }

  /// C: a resting order trades at another price.
  public mutating func executeOrder(
    _ header: Header, reference: UInt64, shares: UInt32, match: UInt64, price: UInt32, isPrintable: Bool
  ) {
    begin("C", length: 36, header)
    put(reference)
    put(shares)
    put(match)
    put(isPrintable ? UInt8(ascii: "Y") : UInt8(ascii: "N"))
    put(price)
  }

  /// X: a resting order loses `shares`.
  public mutating func reduceOrder(_ header: Header, reference: UInt64, shares: UInt32) {
    begin("X", length: 23, header)
    put(reference)
    put(shares)
  }

  /// D: a resting order leaves.
  public mutating func deleteOrder(_ header: Header, reference: UInt64) {
    begin("D", length: 19, header)
    put(reference)
  }

  /// U: a resting order leaves and another one rests on its side.
  public mutating func replaceOrder(
    _ header: Header, reference: UInt64, newReference: UInt64, shares: UInt32, price: UInt32
  ) {
    begin("U", length: 35, header)
    put(reference)
    put(newReference)
    put(shares)
    put(price)
  }

  // MARK: - Trades

  /// P: a trade against a hidden order; the side is always B since 2014.
  public mutating func trade(
    _ header: Header, shares: UInt32, stock: UInt64, price: UInt32, match: UInt64
  ) {
    begin("P", length: 44, header)
    put(UInt64(0))
    put(UInt8(ascii: "B"))
    put(shares)
    put(stock.byteSwapped)
    put(price)
    put(match)
  }

  /// Q: an auction trade; `cross` is O, C, H or I.
  public mutating func crossTrade(
    _ header: Header, shares: UInt64, stock: UInt64, price: UInt32, match: UInt64, cross: Unicode.Scalar
  ) {
    begin("Q", length: 40, header)
    put(shares)
    put(stock.byteSwapped)
    put(price)
    put(match)
    put(UInt8(ascii: cross))
  }

  /// B: a trade is broken.
  public mutating func brokenTrade(_ header: Header, match: UInt64) {
    begin("B", length: 19, header)
    put(match)
  }

  /// I: what an auction would trade now.
  public mutating func imbalance(
    _ header: Header, paired: UInt64, imbalance: UInt64, direction: Unicode.Scalar, stock: UInt64, price: UInt32,
    cross: Unicode.Scalar
  ) {
    begin("I", length: 50, header)
    put(paired)
    put(imbalance)
    put(UInt8(ascii: direction))
    put(stock.byteSwapped)
    for _ in 0..<3 { put(price) }  // far, near and reference price
    put(UInt8(ascii: cross))
    put(UInt8(ascii: "L"))  // price variation below 1 %
  }

  // MARK: - Session

  /// S: the session; `event` is O, S, Q, M, E or C.
  public mutating func systemEvent(_ header: Header, event: Unicode.Scalar) {
    begin("S", length: 12, header)
    put(UInt8(ascii: event))
  }

  /// R: a stock of the day, with a round lot of `roundLot`.
  public mutating func stockDirectory(_ header: Header, stock: UInt64, roundLot: UInt32 = 100) {
    begin("R", length: 39, header)
    put(stock.byteSwapped)
    put(UInt8(ascii: "Q"))  // market category
    put(UInt8(ascii: "N"))  // financial status: normal
    put(roundLot)
    put(UInt8(ascii: "N"))  // odd lots are accepted
    put(UInt8(ascii: "C"))  // common stock
    put(UInt16(0x5A20))  // "Z ": no sub-type
    put(UInt8(ascii: "P"))  // live
    put(UInt8(ascii: "N"))  // short sale threshold
    put(UInt8(ascii: "N"))  // not a new issue
    put(UInt8(ascii: "1"))  // reference price tier
    put(UInt8(ascii: "N"))  // not an exchange-traded product
    put(UInt32(0))
    put(UInt8(ascii: "N"))
  }

  /// H: the trading state of a stock: H, P, Q or T.
  public mutating func tradingAction(_ header: Header, stock: UInt64, state: Unicode.Scalar) {
    begin("H", length: 25, header)
    put(stock.byteSwapped)
    put(UInt8(ascii: state))
    put(UInt8(ascii: " "))
    put(UInt32(0x2020_2020))
  }

  /// Any body as it is, for hostile input.
  ///
  /// - Precondition: at most 65,535 bytes.
  public mutating func raw(_ body: [UInt8]) {
    precondition(body.count <= Int(UInt16.max), "ItchWriter: a body has at most 65,535 bytes")
    ensureRoom(body.count + 2)
    put(UInt16(body.count))
    for byte in body { put(byte) }
    messageCount += 1
  }

  // MARK: - Bytes

  private mutating func begin(_ type: Unicode.Scalar, length: UInt16, _ header: Header) {
    ensureRoom(Int(length) + 2)
    put(length)
    put(UInt8(ascii: type))
    put(header.locate)
    put(header.tracking)
    put(UInt16(truncatingIfNeeded: header.time >> 32))
    put(UInt32(truncatingIfNeeded: header.time))
    messageCount += 1
  }

  private mutating func ensureRoom(_ count: Int) {
    guard byteCount + count > buffer.count else { return }
    buffer.append(contentsOf: repeatElement(0, count: max(count, buffer.count)))
  }

  @inline(__always) private mutating func put<I: FixedWidthInteger>(_ integer: I) {
    let size = I.bitWidth / 8
    let start = byteCount
    var span = buffer.mutableSpan
    for place in 0..<size {
      span[start + place] = UInt8(truncatingIfNeeded: integer >> I(truncatingIfNeeded: 8 * (size - 1 - place)))
    }
    byteCount = start + size
  }
}
