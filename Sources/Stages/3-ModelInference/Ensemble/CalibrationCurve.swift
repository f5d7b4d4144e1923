public import LockFreeRings
public import TradingTypes

/// A calibration in the form the hot path asks: knots in arena memory, no allocation, the bits of
/// `Calibration.probability(logit:)`.
///
/// ```
/// logit → slope × logit + intercept → sigmoid → p → [straight line between the two knots around p]
/// ```
/// Platt and identity have no knots and end at p. The knots are searched in halves: eight comparisons for 256 knots, four
/// for 16.
///
/// The knots lie in an arena and not in the structure: reading one element of an array inside a structure copies the array
/// (Swift 6.3), 2 KiB and more a call.
@frozen public struct CalibrationCurve: ~Copyable {
  /// One knot.
  @frozen @usableFromInline struct Knot: BitwiseCopyable, Sendable {
    @usableFromInline var x: Double
    @usableFromInline var y: Double

    @usableFromInline init(x: Double, y: Double) {
      self.x = x
      self.y = y
    }
  }

  /// Factor on the logit.
  public let slope: Double
  /// Added to the scaled logit.
  public let intercept: Double
  /// Knots there are; 0 for Platt and identity.
  public let knotCount: Int
  // Half of the least power of two that is not below the count: where the search begins.
  @usableFromInline let firstStep: Int
  // A power of two of them; beyond the count x is infinite, so that the search never ends there.
  @usableFromInline let knots: Slab<Knot>

  /// Bytes of arena memory a calibration takes, with its alignment.
  public static func arenaBytes(for calibration: Calibration) -> Int {
    width(of: calibration) * MemoryLayout<Knot>.stride + 128
  }

  private static func width(of calibration: Calibration) -> Int {
    guard case .isotonic(let x, _) = calibration else { return 1 }
    var width = 1
    while width < x.count { width *= 2 }
    return width
  }

  /// The curve of a calibration.
  ///
  /// - Precondition: `calibration.fault` is nil, and the arena has `arenaBytes(for:)` left.
  public init(_ calibration: Calibration, in arena: Arena) {
    precondition(calibration.fault == nil, "CalibrationCurve: the calibration is sound")
    let width = Self.width(of: calibration)
    var knots = Slab(repeating: Knot(x: .infinity, y: 1), count: width, in: arena)
    var count = 0
    switch calibration {
    case .identity: (slope, intercept) = (1, 0)
    case .platt(let a, let b): (slope, intercept) = (a, b)
    case .isotonic(let x, let y):
      (slope, intercept) = (1, 0)
      count = x.count
      // Adding 0 makes −0 the 0 it equals: the search goes by bits.
      for place in 0..<count { knots[place] = Knot(x: x[place] + 0, y: y[place]) }
    }
    knotCount = count
    firstStep = width / 2
    self.knots = knots
  }

  /// The calibrated probability of a logit; NaN for NaN.
  ///
  /// - Complexity: O(log knots), no allocation.
  @inlinable public func probability(logit: Double) -> Double {
    let p = DeterministicMath.sigmoid(slope * logit + intercept)
    guard knotCount > 0, p == p else { return p }
    // The last knot that is not above p, or 0: a mask takes each step or not, where a comparison would become a jump that
    // nothing can predict. Numbers from 0 to infinity have the order of their bits. Wrapping: those are not negative, so their
    // difference fits, and places stay below 256.
    let bits = Int64(bitPattern: p.bitPattern)
    var place = 0
    var step = firstStep
    while step > 0 {
      let isAbove = (bits &- Int64(bitPattern: knots[place &+ step].x.bitPattern)) &>> 63
      place &+= step & Int(truncatingIfNeeded: ~isAbove)
      step &>>= 1
    }
    let left = knots[place]
    guard p > left.x, place &+ 1 < knotCount else { return left.y }
    let right = knots[place &+ 1]
    let value = left.y + (right.y - left.y) * ((p - left.x) / (right.x - left.x))
    return value < right.y ? value : right.y
  }
}
