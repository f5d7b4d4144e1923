public import TradingTypes

// The caps between the wanted share of equity and the target's lots, in their order.
extension PositionSizer {
  /// Wanted notional and the caps that need no price; false when the numbers do not fit.
  @inlinable mutating func setNotional(_ isLong: Bool, _ inputs: borrowing SizingInputs) -> Bool {
    guard inputs.equity > .zero, lastRecord.fraction > 0 else { return true }
    let wanted = lastRecord.fraction * Double(approximating: inputs.equity.nanos)
    guard wanted < 0x1p100 else { return false }
    // Conversions round toward zero. The one by 64 bits is a single instruction, the other 100 times as long.
    lastRecord.notionalWanted = Money(nanos: wanted < 0x1p62 ? Int128(Int64(wanted)) : Int128(wanted))
    lastRecord.notional = lastRecord.notionalWanted
    // Cannot overflow: equity is below 2^90 and the share below 2^20.
    limit(Money(nanos: millionths(inputs.equity.nanos, Int64(parameters.equityShareMillionths))), .equityShare)
    limit(inputs.policy.positionNotionalMax, .positionNotional)
    return true
  }

  /// `amount × share / 10⁶`, rounded toward zero; the product fits 128 bits.
  ///
  /// A division of 128 bits is a call of some 30 ns; by a constant, 64 bits take two multiplications.
  @inlinable func millionths(_ amount: Int128, _ share: Int64) -> Int128 {
    guard let small = Int64(exactly: amount), share >= 0, share < 1 << 43 else {
      return amount * Int128(share) / 1_000_000
    }
    let (quotient, remainder) = small.quotientAndRemainder(dividingBy: 1_000_000)
    // Wrapping: 2^44 millions times a share below 2^43, and 10^6 times 2^43 below 2^63. Quotient and remainder have the same sign, so
    // that both parts are rounded toward zero alike.
    return Int128(quotient) &* Int128(share) &+ Int128(remainder &* share / 1_000_000)
  }

  @inlinable mutating func limit(_ most: Money, _ cap: SizingCap) {
    guard lastRecord.notional > most else { return }
    lastRecord.notional = max(most, .zero)
    lastRecord.cap = cap
  }

  /// The leverage cap: what is left of it beside the exposure in all other instruments, and beside open orders against the target.
  ///
  /// Those are counted on to trade where the order is made up; one that does not leaves as many lots more than the target.
  @inlinable mutating func applyLeverage(_ isLong: Bool, _ inputs: borrowing SizingInputs, _ reference: Price) -> Bool {
    let against = isLong ? inputs.openSell : inputs.openBuy
    // In the range of `otherExposure`: differences of these cannot overflow.
    guard let open = Money(notional: reference, against, multiplier: inputs.instrument.notionalMultiplier),
      open.nanos <= Int128(1) << 100
    else { return false }
    let leverageMillionths = Int64((inputs.policy.leverageMax * 1e6).rounded(.towardZero))
    // Cannot overflow: equity is below 2^90 and the leverage below 2^30.
    let most = Money(nanos: millionths(inputs.equity.nanos, leverageMillionths))
    limit(most - inputs.otherExposure - open, .leverage)
    return true
  }

  /// Lots of the target, rounded toward zero.
  @inlinable mutating func setTarget(_ isLong: Bool, _ inputs: borrowing SizingInputs, _ reference: Price) {
    let lotNanos = Int128(reference.nanos) * Int128(inputs.instrument.notionalMultiplier)
    var lots = Int64(1) << 60
    if let notional = Int64(exactly: lastRecord.notional.nanos), let lot = Int64(exactly: lotNanos) {
      lots = min(notional / lot, lots)
    } else {
      lots = Int64(min(lastRecord.notional.nanos / lotNanos, Int128(lots)))
    }
    lastRecord.target = Quantity(lots: isLong ? lots : -lots)
  }

  /// The cap on the share of the average daily volume, in lots; an unknown volume leaves nothing.
  @inlinable mutating func applyVolume(_ inputs: borrowing SizingInputs) {
    guard parameters.volumeShareMillionths > 0 else { return }
    let volume = max(0, inputs.instrument.averageDailyVolume.lots)
    if volume == 0 { lastRecord.nothing = .noVolume }
    // Cannot overflow: 2^60 × 2^20 has 80 bits, and a millionth of it 60.
    let most = Int64(millionths(Int128(volume), parameters.volumeShareMillionths))
    guard Int64(lastRecord.target.lots.magnitude) > most else { return }
    lastRecord.target = Quantity(lots: lastRecord.target.lots < 0 ? -most : most)
    lastRecord.cap = .dailyVolume
  }
}
