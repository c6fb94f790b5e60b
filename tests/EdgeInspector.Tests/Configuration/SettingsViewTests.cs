using EdgeInspector.Configuration;
using EdgeInspector.Publishing;
using Xunit;

namespace EdgeInspector.Tests.Configuration;

public sealed class SettingsViewTests
{
    [Theory]
    [InlineData("rtsp://u:S3CRET@cam/live", "rtsp://***@cam/live")]
    [InlineData("rtsp://u:S3@CR/ET@cam/live", "rtsp://***@cam/live")]
    [InlineData("http://cam/live?user=u&pw=S3CRET", "http://cam/live?***")]
    [InlineData("cannot open rtsp://u:S3CRET@cam/a and http://u:S3CRET@cam/b", "cannot open rtsp://***@cam/a and http://***@cam/b")]
    [InlineData("rtspsrc location=x user-id=u user-pw=S3CRET ! decode", "rtspsrc location=x user-id=u user-pw=*** ! decode")]
    [InlineData("Authorization: Bearer S3CRET", "Authorization: Bearer ***")]
    [InlineData("password: S3CRET", "password: ***")]
    [InlineData("/dev/video0", "/dev/video0")]
    [InlineData("the token file is missing", "the token *** is missing")]
    public void SecretsInTextsAreLeftOut(string text, string shown) => Assert.Equal(shown, SettingsView.Redact(text));

    [Fact]
    public void EverySettingIsShownByItsKeyAndSecretsAreNot()
    {
        var options = new EdgeInspectorOptions { Stations = [new StationOptions { Name = "biscuit-1" }] };
        options.Broker.Users.Add(new BrokerUser { Name = "anna", PasswordHash = "pbkdf2-sha512$210000$c2FsdA==$aGFzaA==" });
        options.Mqtt.PasswordFile = "/etc/edge-inspector/mqtt-password";
        var shown = SettingsView.Of(options);

        Assert.Equal("biscuit-1", shown["Stations:0:Name"]);
        Assert.Equal("0.8", shown["Stations:0:Belt:Speed"]);
        Assert.Equal("true", shown["Web:Enabled"].ToLowerInvariant());
        Assert.Equal(SettingsView.LeftOut, shown["Broker:Users:0:PasswordHash"]);
        Assert.Equal("/etc/edge-inspector/mqtt-password", shown["Mqtt:PasswordFile"]);
        Assert.DoesNotContain(shown.Values, value => value.Contains("aGFzaA", StringComparison.Ordinal));
    }
}
