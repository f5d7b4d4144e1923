import ModelImport
import ModelInference
import Testing

@testable import OnnxImport

// Goal: what is imported predicts what ONNX Runtime predicts. Method: files of both PyTorch exporters and of skl2onnx with the answers
// of the runtime, see Fixtures/models/onnx_parity.py; the plain executor of the imported model has to come within 1e-5.
@Suite struct OnnxParityTests {
  @Test(arguments: [
    "mlp_norm", "mlp_logistic", "mlp_dynamo", "mlp_old", "lstm", "lstm_two", "lstm_time_first", "lstm_dynamo", "gru",
    "gru_two", "gru_plain", "tcn_chop", "tcn_pad", "tcn_valid", "tcn_dynamo", "transformer", "transformer_dynamo",
    "attention", "attention_dynamo", "flat_rows", "flat_channels", "depthwise", "lstm_nine", "lstm_layout",
    "transformer_old",
    "mlp_new", "mlp_tanh_gelu",
  ])
  func `an imported network predicts what ONNX Runtime predicts`(name: String) throws {
    let fixture = try OnnxFixture(name)
    #expect(try fixture.distance() <= 1e-5)
    #expect(fixture.model.quantisationHints.isEmpty)
  }

  // Goal: the two forms of GELU, 5e-4 apart, are told from each other, in parts as whole. Method: which one was imported.
  @Test(arguments: [("mlp_tanh_gelu", false), ("mlp_old", true), ("mlp_new", true), ("mlp_dynamo", true)])
  func `gelu is imported in the form it has`(name: String, isExact: Bool) throws {
    let activations = try OnnxFixture(name).activations
    #expect(activations.contains(.gelu) == isExact && activations.contains(.geluTanh) == !isExact)
  }

  @Test(arguments: [
    "sk_logistic", "sk_logistic_three", "sk_ridge", "sk_mlp", "sk_mlp_three", "sk_mlp_regressor", "sk_columns",
  ])
  func `a pipeline of scikit-learn with a linear model or network predicts what ONNX Runtime predicts`(
    name: String
  ) throws {
    let fixture = try OnnxFixture(name)
    #expect(fixture.model.network != nil)
    #expect(try fixture.distance() <= 1e-5)
  }

  @Test(arguments: [
    "sk_forest", "sk_forest_three", "sk_forest_regressor", "sk_boosting", "sk_boosting_three", "sk_boosting_regressor",
    "sk_histogram", "sk_histogram_regressor", "sk_scaled_trees", "sk_column_trees", "sk_inputs",
  ])
  func `trees of scikit-learn predict what ONNX Runtime predicts, also at thresholds and beside them`(
    name: String
  ) throws {
    let fixture = try OnnxFixture(name)
    #expect(fixture.model.forest != nil)
    #expect(try fixture.distance() <= 2e-6)
  }
}
