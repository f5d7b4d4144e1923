import ArgumentParser
import PositionSizing

/// `martlet size`: the continuous preset over cases, every intermediate shown.
struct SizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "size",
    abstract: "Size positions with the continuous Kelly preset, a case a line.",
    discussion: """
      The input is JSONL: a case a line, with the objects input and config, and a
      name if you like. Each gives one line of JSON with every intermediate:

        sigma_vix       volatility of the VIX a day; null while it is unusable
        sigma           the larger of it and sigma_garch; × stalePenalty when the
                        VIX is missing, stale, not positive or above vixMax
        full_kelly      mu / sigma²
        shrink          n SR² / (1 + n SR²), for the error of mu
        after_fraction  kellyFraction × shrink × full_kelly × regimeMultiplier
        vol_target_cap  targetVolAnnual / √252 / sigma, on the size of the above
        drawdown_multiplier  1 at the peak, 0 from maxDrawdown below it on
        f, target_fraction   the share of equity to hold, within maxLeverage
        binding         none, volTarget or leverage: which cap decided
        reason          ok, badInput, noVolatility, negativeEdge, drawdownStop

      A line ends at the step that decided: without a volatility there is no
      Kelly fraction to show.

      input: mu, nEff, equity, peak (null says there is none, and sizes to 0);
      sigma_garch, vix, vix_age_s (0), regimeMultiplier (1) may be left out.
      config: kellyFraction 0.5, maxLeverage 1.5, targetVolAnnual 0.15,
      vixScale 1, vixMax 200, vixStaleAfter_s 900, stalePenalty 1.25,
      sigmaFloor 0.0001, maxDrawdown 0.2, allowShort false; what is left out
      keeps the value shown. All returns and volatilities are daily fractions,
      the VIX is in percent. NaN is read as null. Keys that begin with _, and
      expected, are skipped; any other unknown key is an error.

      Example:
        echo '{"input":{"mu":0.0004,"nEff":2500,"sigma_garch":0.009,"vix":16,
        "equity":1e6,"peak":1e6}}' | tr -d '\\n' | martlet size --input -
      """)

  @Option(help: ArgumentHelp("JSONL of cases; - is standard input.", valueName: "file"))
  var input: String

  @Option(help: ArgumentHelp("Where the answers go; standard output otherwise.", valueName: "file"))
  var output: String?

  @Flag(help: "Overwrite an existing output file.")
  var force = false

  func run() throws {
    let cases = try SizeCase.read(input)
    let text = try OutputText(output, force: force)
    for sizeCase in cases { text.write(sizeCase.answer + "\n") }
    try text.finish()
  }
}

extension SizeCase {
  /// One line of JSON: the keys as far as the sizing went.
  var answer: String {
    let outcome = sizing.size(inputs)
    var line = JSONText()
    let reason =
      switch outcome.reason {
      case .complete: "ok"
      case .badInput: "badInput"
      case .noVolatility: "noVolatility"
      case .negativeEdge: "negativeEdge"
      case .drawdownStop: "drawdownStop"
      }
    let hasVolatility = outcome.reason != .badInput && outcome.reason != .noVolatility
    line.add("sigma", hasVolatility ? outcome.volatility : nil)
    if hasVolatility {
      line.add("sigma_vix", outcome.volatilityVIX > 0 ? outcome.volatilityVIX : nil)
      line.add("full_kelly", outcome.kelly)
      line.add("shrink", outcome.shrinkage)
      line.add("after_fraction", outcome.fractionWanted)
    }
    let hasCaps = hasVolatility && outcome.reason != .negativeEdge
    if hasCaps {
      line.add("vol_target_cap", outcome.volatilityCap)
      line.add("drawdown_multiplier", outcome.drawdownMultiplier)
    }
    line.add("f", outcome.fraction)
    if hasCaps {
      let binding =
        switch outcome.cap {
        case .none: "none"
        case .volatilityTarget: "volTarget"
        case .leverage: "leverage"
        }
      line.add("binding", binding)
    }
    line.add("reason", reason)
    line.add("target_fraction", outcome.fraction)
    return line.line
  }
}
